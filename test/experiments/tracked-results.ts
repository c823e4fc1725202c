// The papers whose results are tracked beside their code, with the folder of them.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Paper, papers } from '../../experiments/index.ts';
import { repositoryRoot } from '../shared-data.ts';

export const trackedResults: readonly { readonly paper: Paper; readonly folder: string }[] = papers.flatMap((paper) => {
  const folder = path.join(repositoryRoot(), 'experiments/papers', paper.name, 'results');
  return existsSync(folder) ? [{ paper, folder }] : [];
});
