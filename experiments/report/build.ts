// From the tables of a command or of run folders, and their manifests, to the one view.
import type { Manifest } from '../runner/manifest.ts';
import type { Paper } from '../runner/paper.ts';
import type { TableData } from '../runner/results.ts';
import { tableView } from './table-view.ts';
import type { PaperView, ProvenanceView, View } from './view.ts';

/** Where the numbers of a folder came from. */
export function provenanceView(folder: string, manifest: Manifest | undefined): ProvenanceView {
  if (!manifest) return { folder, facts: [], manifest: undefined };
  const { wgrad, node, processor, platform, device, finished, commandLine } = manifest;
  const facts = {
    wgrad,
    node,
    processor,
    platform,
    device: String(device.description ?? 'none'),
    command: commandLine.join(' '),
    finished,
  };
  return {
    folder,
    facts: Object.entries(facts).map(([name, value]) => ({ name, value })),
    manifest: { ...manifest },
  };
}

const paperView = (paper: Paper, tables: readonly TableData[]): PaperView => ({
  name: paper.name,
  title: paper.title,
  citation: paper.citation,
  choices: paper.ambiguities,
  tables: tables.map(tableView),
});

/** The tables in the order given, by paper. */
export function buildView(
  tables: readonly TableData[],
  provenance: readonly ProvenanceView[],
  problems: readonly string[] = [],
): View {
  const papers = [...new Set(tables.map(({ paper }) => paper))];
  return {
    papers: papers.map((paper) =>
      paperView(
        paper,
        tables.filter((each) => each.paper === paper),
      ),
    ),
    provenance,
    problems,
  };
}
