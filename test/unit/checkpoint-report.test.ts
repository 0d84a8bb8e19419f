import { link, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { CriuError } from '../../src/index.ts';
import { eachOf } from '../../src/procfs/read.ts';
import { classesOf } from '../../src/report/memory-classes.ts';
import { checkpointReport } from '../../src/report.ts';
import { temporaryDirectory } from '../helpers/workload.ts';
import {
  core,
  ids,
  inventory,
  mm,
  PAGE,
  pagemap,
  pagesOf,
  vma,
  type WrittenImages,
  writeImages,
  writePages,
} from '../helpers/written-checkpoint.ts';

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u001b[31m\u202e';
const ATTRIBUTE = '" onfocus="alert(3)';

/** The page, and what a browser would make of it. */
async function reportOf(directory: string, options: Parameters<typeof checkpointReport>[1] = {}) {
  const report = await checkpointReport(directory, { preflight: false, ...options });
  const { document } = parseHTML(report.html);
  const text = (id: string) => document.querySelector(`#${id}`)?.textContent ?? '';
  return { ...report, document, text };
}

/** A process of one page for arguments and environment, and of more memory than the page has bytes. */
function processImages(pid: number, name: string, pages: number): WrittenImages {
  const [first, second] = [BigInt(0x100 * PAGE), BigInt(0x100 * PAGE) + 256n];
  const strings = { mm_arg_start: first, mm_arg_end: first + 256n };
  const environment = { mm_env_start: second, mm_env_end: second + 256n };
  const many = Array.from({ length: 40 }, (_, index) => {
    return vma(0x1000 + 0x1000 * index, pages, { prot: index % 3 === 0 ? 5 : 3 });
  });
  const runs = many.map(({ start }) => [Number(start) / PAGE, pages, 4] as const);
  return {
    [`core-${pid}.img`]: ['CORE', core(name)],
    [`ids-${pid}.img`]: ['IDS', ids(1 + (pid % 20))],
    [`mm-${pid}.img`]: ['MM', mm([vma(0x100, 1), ...many], { ...strings, ...environment })],
    [`pagemap-${pid}.img`]: pagemap(pid, [[0x100, 1, 4], ...runs]),
  };
}

test('the page of 1,000 processes with 10 GiB is small, and what they have is escaped', async () => {
  const directory = await temporaryDirectory();
  // Half of the tree is deeper than a browser nests elements.
  const tree = Array.from({ length: 1000 }, (_, index) => {
    const pid = 1000 + index;
    return { pid, ppid: index === 0 ? 0 : index < 600 ? pid - 1 : 1000, pgid: 1000, sid: 1000 };
  });
  const files = Array.from({ length: 500 }, (_, index) => ({
    ...{ id: index + 1, type: 'REG' },
    reg: { id: index + 1, flags: 0, pos: 0n, fown, name: `/data/${index}${ATTRIBUTE}${HOSTILE}` },
  }));
  await writeImages(directory, {
    'inventory.img': ['INVENTORY', inventory],
    'pstree.img': ['PSTREE', ...tree.map((one) => ({ ...one, threads: [one.pid] }))],
    'files.img': ['FILES', ...files],
  });
  for (let id = 1; id <= 20; id++) {
    const own = files.slice(25 * (id - 1), 25 * id);
    const descriptors = own.map((file, fd) => ({ id: file.id, flags: 0, type: 'REG', fd }));
    await writeImages(directory, { [`fdinfo-${id}.img`]: ['FDINFO', ...descriptors] });
  }
  const imagesOf = (pid: number) => processImages(pid, `w${HOSTILE}`.slice(0, 15), 66);
  const strings = `node\0${HOSTILE}\0--title=${ATTRIBUTE}\0`.padEnd(256, '\0');
  await writeImages(directory, imagesOf(1000));
  await writePages(directory, 1000, pagesOf(`${strings}API_TOKEN=hunter2\0X=${HOSTILE}\0`));
  await truncate(join(directory, 'pages-1000.img'), (1 + 40 * 66) * PAGE);
  // What is the same for all processes is written once.
  await eachOf(tree.slice(1), async ({ pid }) => {
    for (const kind of ['core', 'mm', 'pages']) {
      await link(join(directory, `${kind}-1000.img`), join(directory, `${kind}-${pid}.img`));
    }
    const own = Object.entries(imagesOf(pid)).filter(([name]) => /^(ids|pagemap)-/.test(name));
    await writeImages(directory, Object.fromEntries(own));
  });

  const { html, document, defects, obstacles, text } = await reportOf(directory);
  expect(defects).toEqual([]);
  expect(obstacles).toBeUndefined();
  expect(html.length).toBeLessThan(3 * 2 ** 20);
  expect(document.querySelectorAll('#processes .row')).toHaveLength(1000);
  expect(document.querySelectorAll('.treemap .cell').length).toBeLessThan(420);
  expect(document.querySelectorAll('.graph .node').length).toBeLessThanOrEqual(100);
  expect(document.querySelectorAll('.graph path').length).toBeLessThanOrEqual(40 * 60);
  expect(text('memory')).toContain('10.1 GiB of memory');
  expect(text('connections')).toContain('are not in the picture');

  expect(document.querySelectorAll('script')).toHaveLength(1);
  expect(document.querySelectorAll('img, iframe, object, embed, link, base, form')).toHaveLength(0);
  const names = [...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames());
  expect(names.filter((name) => /^on|^style$|^src$/.test(name))).toEqual([]);
  expect(text('p1000')).toContain('<script>alert(1)</script><img src=x');
  expect(html).toContain('\\x1b[31m\\u{202e}');
  expect(html).not.toContain('\u001b');
  expect(html).not.toContain('\u202e');
  expect(html).not.toContain('hunter2');
  const policy = document.querySelector('meta[http-equiv]')?.getAttribute('content');
  expect(policy).toMatch(
    /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; base-uri 'none'; form-action 'none'$/,
  );
});

test('the page shows what each round has written, and what differs from another checkpoint', async () => {
  const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
  await writeImages(first, {
    'inventory.img': ['INVENTORY', inventory],
    'pagemap-7.img': pagemap(1, [[0x100, 3, 4]]),
  });
  await writePages(first, 1, Buffer.alloc(3 * PAGE));
  await writeImages(second, {
    ...{ 'inventory.img': ['INVENTORY', inventory], 'files.img': ['FILES'] },
    'pstree.img': ['PSTREE', { pid: 7, ppid: 0, pgid: 7, sid: 7, threads: [7] }],
    ...{ 'core-7.img': ['CORE', core('app')], 'mm-7.img': ['MM', mm([vma(0x100, 3)])] },
    ...{ 'ids-7.img': ['IDS', ids(1)], 'fdinfo-1.img': ['FDINFO'] },
    'pagemap-7.img': pagemap(1, [
      [0x100, 1, 4],
      [0x101, 2, 1],
    ]),
  });
  await writePages(second, 1, Buffer.alloc(PAGE, 1));
  await symlink(first, join(second, 'parent'));

  const round = await reportOf(first);
  expect(round.text('memory')).toContain('12.0 KiB of memory');
  expect(round.text('processes')).toContain('a round before a dump');
  const dump = await reportOf(second, { diff: first });
  expect(dump.defects).toEqual([]);
  expect(dump.text('memory')).toContain('1 round before the dump');
  const sizes = [...dump.document.querySelectorAll('#memory table:last-of-type td.n')];
  expect(sizes.map(({ textContent }) => textContent)).toEqual([
    ...['12.0 KiB', 'unknown', '4.0 KiB', 'unknown'],
  ]);
  expect(dump.document.querySelector('.treemap .older')).not.toBeNull();
  expect(dump.text('difference')).toContain('1 page of 4096 bytes differ');
  expect(dump.text('difference')).toContain('7 app');
  expect(dump.text('timings')).toContain('no statistics');
});

test('the page of damaged images says what is damaged', async () => {
  const directory = await temporaryDirectory();
  await writeImages(directory, { 'inventory.img': ['INVENTORY', inventory] });
  await writeFile(join(directory, 'pstree.img'), 'damaged');
  const { defects, document, text } = await reportOf(directory);
  expect(defects.map(({ code }) => code)).toContain('BAD_FILE');
  expect(text('verification')).toContain('ERR_CRIU_BAD_IMAGE');
  expect(text('overview')).toMatch(/Images\s*\d+ defects/);
  expect(document.querySelector('#processes')).toBeNull();
});

test('wrong options and directories are refused', async () => {
  const directory = await temporaryDirectory();
  const cases = [
    ...(['deep', 'preflight', 'secrets'] as const).map((option) => [option, 1]),
    ...[
      ['diff', ''],
      ['path', 7],
      ['signal', {}],
    ],
  ];
  for (const [option, value] of cases as [string, unknown][]) {
    const refused = await checkpointReport(directory, { [option]: value }).catch((error) => error);
    expect(refused).toBeInstanceOf(CriuError);
    expect(refused).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
  }
  await expect(checkpointReport(7 as never)).rejects.toMatchObject({ option: 'directory' });
  await expect(checkpointReport(join(directory, 'none'))).rejects.toMatchObject({
    code: 'ERR_CRIU_BAD_IMAGE',
  });
});

test('the heap of V8, code and the stacks of threads are recognised by their places', () => {
  const mapping = (start: string, size: number, protection = 'rw-p', more = {}) => {
    const end = `0x${(BigInt(start) + BigInt(size)).toString(16)}`;
    const sizes = { size, bytesStored: size, bytesInParents: 0, bytesLazy: 0, offset: 0 };
    const nothing = { file: undefined, path: undefined, shared: undefined };
    return { start, end, protection, kind: 'anonymous' as const, ...sizes, ...nothing, ...more };
  };
  const mappings = [
    mapping('0x400000', PAGE, 'r-xp', { kind: 'file', path: '/usr/bin/node' }),
    mapping('0x600000', PAGE, 'rw-p', { kind: 'file', path: '/usr/bin/node' }),
    mapping('0x18bb5000', PAGE, 'rw-p', { kind: 'heap' }),
    mapping('0x33f085680000', 0x42000),
    mapping('0x7f55824ad000', 0x1313000),
    mapping('0x7f55837c3000', 0x3c000, 'rwxp'),
    mapping('0x7f55a37ff000', PAGE, '---p'),
    mapping('0x7f55a3800000', 0x800000),
    mapping('0x7f55a4000000', 0x21000),
    mapping('0x7fffcff19000', 0x21000, 'rw-p', { kind: 'stack' }),
  ];
  const expected = ['code', 'files', 'native', 'v8-heap', 'native', 'code', 'native', 'stacks'];
  const classes = classesOf({ program: '/usr/bin/node', mappings } as never);
  expect(classes).toEqual([...expected, 'native', 'stacks']);
  const other = classesOf({ program: '/usr/bin/python3', mappings: mappings.slice(2) } as never);
  expect(other[1]).toBe('native');
});
