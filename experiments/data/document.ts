// The records of the data sets as text: docs/data.md, and one of them for the terminal.
import { canFetch, type DataSetRecord } from './dataset.ts';
import { dataSets } from './sets/index.ts';

/** How docs/data.md is made again. */
export const remake = 'wgrad data list --markdown > docs/data.md';

/** One data set, a line each. */
export function describeDataSet(set: DataSetRecord): string[] {
  const files = Object.entries(set.files);
  return [
    `${set.title}: ${set.content}`,
    `Licence: ${set.licence}. Size: ${set.size}. Page: ${set.page}`,
    ...(canFetch(set)
      ? [
          `Fetched by \`wgrad data fetch ${set.name} --to DIR\` into DIR/${set.folder}, checked by SHA-256:`,
          ...files.map(([file, sha256]) => `  ${file}  ${sha256}`),
          ...set.origins.map((origin, i) => `${i === 0 ? 'Origin' : 'Mirror'}: ${origin}`),
        ]
      : []),
    'By hand:',
    ...set.byHand.map((line) => `  ${line}`),
    'Layouts that are accepted (DIR is what is given as --data):',
    ...set.layouts.map((line) => `  ${line}`),
    `Without --data: ${set.standInName}, except for the preset paper.`,
    `\`wgrad data check ${set.name} DIR\` reads what is there.`,
  ];
}

/** The page of all data sets. */
export function markdownOfDataSets(): string {
  const lines = [
    '# Data sets',
    '',
    'Made from the records in experiments/data/sets; not written by hand. To make it again:',
    '',
    `    ${remake}`,
    '',
    '`--data DIR` takes real data from DIR. Without it a paper is trained on a generated stand-in, and the report says so; the preset',
    '`paper` refuses a stand-in. In every folder hidden files, `._NAME` companions, thumbnails and files of other kinds are passed',
    'over, counted and told; extensions may be in capitals, and links are followed. `wgrad data check NAME DIR` reads everything',
    'and names the first fault with its file and, where it is known, its byte. A file that a training and a validation set share is',
    'refused.',
    '',
  ];
  for (const set of Object.values(dataSets)) {
    const files = Object.entries(set.files);
    lines.push(
      `## ${set.title}`,
      '',
      set.content,
      '',
      '| | |',
      '|---|---|',
      `| name | \`${set.name}\` |`,
      `| licence | ${set.licence} |`,
      `| size | ${set.size} |`,
      `| page | <${set.page}> |`,
      `| get it | ${canFetch(set) ? `\`wgrad data fetch ${set.name} --to DIR\`` : 'by hand'} |`,
      `| stand-in | ${set.standInName} |`,
      '',
    );
    if (canFetch(set)) {
      lines.push(
        'Origins, in the order in which they are tried:',
        '',
        ...set.origins.map((origin) => `- <${origin}>`),
        '',
      );
      lines.push('| file | SHA-256 |', '|---|---|', ...files.map(([file, sum]) => `| ${file} | \`${sum}\` |`), '');
    }
    lines.push('By hand:', '', ...set.byHand.map((line) => `    ${line}`), '');
    lines.push('Layouts that are accepted:', '', ...set.layouts.map((line) => `    ${line}`), '');
  }
  return lines.join('\n');
}
