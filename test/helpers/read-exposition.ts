const HELP = /^# HELP (node_criu_[a-z0-9_]+) ([^\\\n]+)$/;
const TYPE = /^# TYPE (node_criu_[a-z0-9_]+) (counter|gauge|histogram)$/;
const SAMPLE =
  /^(node_criu_[a-z0-9_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,(?!\})|(?=\})))+)\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;
const LABEL = /([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"/g;

/**
 * Reads the text format of Prometheus, and throws where it is not valid. Returns a function that gives the value of a
 * sample by its name, without `node_criu_`, and its labels, sorted: `fleet_hosts{state="ready"}`.
 */
export function readExposition(text: string): (sample: string) => number | undefined {
  if (!text.endsWith('\n')) throw new Error('the text does not end with a line break');
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  let current = '';
  let helped = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    const sample = SAMPLE.exec(line);
    if (help) {
      helped = help[1] as string;
    } else if (type) {
      const [, name = '', kind = ''] = type;
      if (name !== helped) throw new Error(`${name} has no help`);
      if (types.has(name)) throw new Error(`${name} comes twice`);
      if ((kind === 'counter') !== name.endsWith('_total')) throw new Error(`${name}: ${kind}`);
      types.set(name, kind);
      current = name;
    } else if (sample) {
      const [, name = '', labels = '', value] = sample;
      const isPart = types.get(current) === 'histogram' && /_(bucket|sum|count)$/.test(name);
      const family = isPart ? name.replace(/_(bucket|sum|count)$/, '') : name;
      if (family !== current) throw new Error(`${name} is among the samples of ${current}`);
      const key = keyOf(name, labels);
      if (values.has(key)) throw new Error(`${key} comes twice`);
      values.set(key, Number(value));
    } else {
      throw new Error(`not a line of metrics: ${JSON.stringify(line)}`);
    }
  }
  return (name) => values.get(`node_criu_${name}`);
}

function keyOf(name: string, labels: string): string {
  const pairs = [...labels.matchAll(LABEL)].map(([, label, text = '']) => {
    const plain = text.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
    return `${label}=${JSON.stringify(plain)}`;
  });
  return pairs.length === 0 ? name : `${name}{${pairs.sort().join(',')}}`;
}
