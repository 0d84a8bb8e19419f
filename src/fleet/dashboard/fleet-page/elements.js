/** Characters that are not visible, or change the direction of the text after them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text whose characters are all visible: names come from Redis, where anybody may have written them. */
export function visible(text) {
  return String(text).replace(
    UNPRINTABLE,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );
}

/**
 * Makes an element. Texts become text nodes, and nothing else is ever made of a text.
 * @param kind the tag, and classes after dots: `span.badge`
 */
export function element(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split('.');
  const made = document.createElement(tag);
  made.className = classes.join(' ');
  const { dataset, part, attributes, ...others } = properties;
  Object.assign(made, others);
  Object.assign(made.dataset, dataset);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  if (part !== undefined) made.style.setProperty('--part', part);
  made.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== undefined)
      .map((child) => (child instanceof Node ? child : visible(child))),
  );
  return made;
}

export const byId = (id) => document.getElementById(id);
