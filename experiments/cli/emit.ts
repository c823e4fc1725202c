// `wgrad reproduce ... --emit KIND --shards N`: the array job of a batch system that runs the same command in N parts, on stdout.
// Every part has a folder of its own, so that nothing need be shared; `wgrad merge` joins them.
import path from 'node:path';
import { ConfigError } from '../../engine/index.ts';
import { programWords, shellWords } from './shell.ts';

export const jobKinds = ['slurm', 'kubernetes', 'shell'] as const;
export type JobKind = (typeof jobKinds)[number];

export interface EmitFlags {
  emit?: JobKind;
  /** Parts of the grid. */
  shards?: number;
  /** Container image with wgrad in it. */
  image?: string;
  /** Persistent volume claim for the folders. */
  claim?: string;
}

/** Options that are about the job, or that every part has for itself. */
const ofTheJob = ['--emit', '--shards', '--image', '--claim', '--out'];

/** The words without these options, given as `--name value` or `--name=value`. */
export function withoutOptions(words: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (names.includes(word)) i++;
    else if (!names.some((name) => word.startsWith(`${name}=`))) kept.push(word);
  }
  return kept;
}

interface Job {
  readonly shards: number;
  /** The command of a part; `index` is how the shell has its number. */
  readonly part: (index: string) => string;
  readonly merge: string;
  readonly image: string | undefined;
  readonly claim: string;
}

/** In double quotes, which leave a variable what it is, where its number comes from one. */
const withIndex = (text: string, index: string): string => `${shellWords([text])}"${index}"`;

/** The folder of part I of N of a grid whose results go to `out`. */
export const shardFolder = (out: string, index: number | string, count: number): string =>
  `${out}-${index}-of-${count}`;

/** Lines on how the parts become one. */
const epilogue = (merge: string): string[] => ['# When all parts have ended:', `#   ${merge}`];

function slurmText({ shards, part, merge }: Job): string {
  return [
    '#!/bin/bash',
    '#SBATCH --job-name=wgrad',
    `#SBATCH --array=1-${shards}`,
    '#SBATCH --requeue',
    '# SIGTERM, two minutes before the time is up, has a part write what it has; the same job submitted again goes on from there.',
    '#SBATCH --signal=B:TERM@120',
    ...epilogue(merge),
    'set -eu',
    `cd ${shellWords([process.cwd()])}`,
    `exec ${part('$SLURM_ARRAY_TASK_ID')}`,
  ].join('\n');
}

function shellText({ shards, part, merge }: Job): string {
  return [
    '#!/bin/sh',
    `# \`sh FILE I\` makes part I of ${shards}, on any machine; \`sh FILE\` makes all of them, one after the other, and joins them.`,
    'set -eu',
    `cd ${shellWords([process.cwd()])}`,
    'if [ "$#" -gt 0 ]; then',
    `  exec ${part('$1')}`,
    'fi',
    'i=1',
    `while [ "$i" -le ${shards} ]; do`,
    `  ${part('$i')}`,
    '  i=$((i + 1))',
    'done',
    merge,
  ].join('\n');
}

function kubernetesText({ shards, part, merge, image, claim }: Job): string {
  if (image === undefined) {
    throw new ConfigError('a job of Kubernetes needs a container image', {
      expected: '--image NAME, an image that has Node and wgrad',
    });
  }
  const command = `i=$((JOB_COMPLETION_INDEX + 1)); exec ${part('$i')}`;
  // Strings of JSON are strings of YAML.
  return [
    ...epilogue(merge),
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata:',
    '  name: wgrad',
    'spec:',
    '  completionMode: Indexed',
    `  completions: ${shards}`,
    `  parallelism: ${shards}`,
    `  backoffLimit: ${3 * shards}`,
    '  template:',
    '    spec:',
    '      restartPolicy: OnFailure',
    '      containers:',
    '        - name: wgrad',
    `          image: ${JSON.stringify(image)}`,
    '          workingDir: /work',
    `          command: ${JSON.stringify(['/bin/sh', '-c', command])}`,
    '          volumeMounts:',
    '            - name: work',
    '              mountPath: /work',
    '      volumes:',
    '        - name: work',
    '          persistentVolumeClaim:',
    `            claimName: ${JSON.stringify(claim)}`,
  ].join('\n');
}

const texts: Readonly<Record<JobKind, (job: Job) => string>> = {
  slurm: slurmText,
  kubernetes: kubernetesText,
  shell: shellText,
};

/** The job as text. `words`: the command as it was given; `out`: where its results are to be. Throws ConfigError. */
export function jobText(
  kind: JobKind,
  { shards, image, claim = 'wgrad' }: EmitFlags,
  out: string,
  words: readonly string[] = process.argv.slice(2),
): string {
  if (shards === undefined) {
    throw new ConfigError(`--emit ${kind} needs a number of parts`, { expected: '--shards N, one for each machine' });
  }
  const own = withoutOptions(words, ofTheJob);
  // A container has its own way of starting the program, and its own files.
  const start = kind === 'kubernetes' ? ['wgrad'] : programWords();
  const at = kind === 'kubernetes' && path.isAbsolute(out) ? path.relative(process.cwd(), out) : out;
  const part = (index: string): string =>
    `${shellWords([...start, ...own, '--shard'])} "${index}/${shards}" --out ${withIndex(`${at}-`, index)}-of-${shards}`;
  const folders = `${shellWords([`${at}-`])}*-of-${shards}`;
  const merge = `${shellWords([...start, 'merge'])} ${folders} --out ${shellWords([at])}`;
  return texts[kind]({ shards, part, merge, image, claim });
}
