import type { CriuError, ImageFinding } from '../../index.ts';
import { clipped, type Html, html } from '../html.ts';
import { counted } from '../quantities.ts';

/** The most findings that are listed. */
const MAX_FINDINGS = 200;
/** The most characters of a message. */
const MAX_MESSAGE = 1000;

/** What is known of the state of the images. */
export interface Verification {
  readonly findings: readonly ImageFinding[];
  readonly isDeep: boolean;
  /** Why the images could not be described. */
  readonly unreadable: CriuError | undefined;
}

/** Whether the images are whole. */
export function verificationSection({ findings, isDeep, unreadable }: Verification): Html {
  const shown = findings.slice(0, MAX_FINDINGS);
  const others = findings.length - shown.length;
  const compared = isDeep
    ? 'All files were read and compared with the checksums of the dump.'
    : 'The contents of files were not compared with checksums; --deep (deep: true) does that.';
  return html`
${unreadable ? html`<p class="finding error"><b>${unreadable.code}</b> ${clipped(unreadable.message, MAX_MESSAGE)}</p>` : undefined}
${shown.map(
  ({
    code,
    message,
  }) => html`<p class="finding error"><b>${code}</b> ${clipped(message, MAX_MESSAGE)}</p>
`,
)}
${others > 0 ? html`<p>and ${counted(others, 'more defect')}.</p>` : undefined}
${findings.length === 0 && !unreadable ? html`<p class="finding good"><b>Complete</b> The images and those of all earlier rounds exist and fit together.</p>` : undefined}
<p>${compared}</p>`;
}
