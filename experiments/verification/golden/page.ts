// The golden runner as a page. Its address says what to do: ?device=NAME runs the set that lies below `fixtures/` beside
// the page, or at ?fixtures=ADDRESS; ?family=NAME only one family; without a device the page waits for its form. Whether
// it is cross-origin isolated, which threads need, is up to the server (?isolated=no asks ours not to).
import { type DeviceChoice, WgradError } from '../../../engine/index.ts';
import { plainMessage } from '../../cli/errors.ts';
import { type Fixtures, type FixtureSource, openFixtures } from './fixtures.ts';
import { type GoldenResult, runFixtures } from './run.ts';

/** What `window.wgradGolden` resolves to: a result, an error, or neither without a device. It never rejects. */
export interface PageOutcome {
  isolated: boolean;
  result?: GoldenResult;
  error?: { name: string; message: string };
}

declare global {
  interface Window {
    wgradGolden?: Promise<PageOutcome>;
  }
}

/** Time between two moments at which the browser may draw and answer. */
const DRAW_MILLISECONDS = 50;

const find = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!;
const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');

const at = (base: URL): FixtureSource => ({
  locate: (file) => new URL(file, base).href,
  async read(file) {
    const response = await fetch(new URL(file, base));
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
});

function say(text: string, state: 'running' | 'passed' | 'failed' | 'refused'): void {
  const line = find<HTMLElement>('#state');
  line.textContent = text;
  line.className = state;
  document.title = `${text} - wgrad golden`;
}

function showFacts(facts: Readonly<Record<string, string | number | boolean>>): void {
  const known = Object.entries(facts).filter(([, value]) => value !== '');
  const rows = known.flatMap(([name, value]) => {
    const [term, definition] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = name;
    definition.textContent = typeof value === 'boolean' ? yesOrNo(value) : String(value);
    return [term, definition];
  });
  find('#facts').replaceChildren(...rows);
}

function showFailure(id: string, reason: string): void {
  const [item, name] = [document.createElement('li'), document.createElement('code')];
  name.textContent = id;
  item.append(name, `: ${reason}`);
  find('#failures').append(item);
}

/** Fills the form in with what the address asks for, and with the families of the set. */
function fillForm(asked: URLSearchParams, families: readonly string[]): void {
  find('select[name=family]').append(...families.map((family) => new Option(family)));
  for (const select of document.querySelectorAll('select')) select.value = asked.get(select.name) || select.value;
  const fixtures = asked.get('fixtures');
  if (fixtures === null) return;
  const kept = document.createElement('input');
  Object.assign(kept, { type: 'hidden', name: 'fixtures', value: fixtures });
  find('form').append(kept);
}

async function run(fixtures: Fixtures, asked: URLSearchParams): Promise<GoldenResult> {
  const bar = find<HTMLProgressElement>('progress');
  const started = performance.now();
  const counts = { passed: 0, failed: 0 };
  const sum = (): string => `${counts.passed} passed, ${counts.failed} failed`;
  let drawn = started;
  let facts = {};
  say('starting', 'running');
  const result = await runFixtures(fixtures, {
    device: asked.get('device') as DeviceChoice,
    family: asked.get('family') || undefined,
    begin(device, cases) {
      bar.hidden = false;
      bar.max = cases;
      facts = { 'runs on': device.description, 'cross-origin isolated': crossOriginIsolated, ...device.facts };
      showFacts(facts);
    },
    async report(id, failure) {
      counts[failure === undefined ? 'passed' : 'failed']++;
      if (failure !== undefined) showFailure(id, failure);
      if (performance.now() - drawn < DRAW_MILLISECONDS) return;
      bar.value = counts.passed + counts.failed;
      say(`${sum()} so far`, 'running');
      await new Promise((resolve) => setTimeout(resolve));
      drawn = performance.now();
    },
  });
  bar.value = bar.max;
  say(sum(), result.failed > 0 ? 'failed' : 'passed');
  showFacts({ time: `${((performance.now() - started) / 1000).toFixed(1)} s`, ...facts });
  return result;
}

/** Reads the manifest, fills the form in, and runs if the address names a device. */
async function open(asked: URLSearchParams): Promise<PageOutcome> {
  const isolated = crossOriginIsolated;
  try {
    const base = new URL(asked.get('fixtures') ?? 'fixtures/', location.href);
    const fixtures = await openFixtures(at(base));
    fillForm(asked, fixtures.families);
    return asked.has('device') ? { isolated, result: await run(fixtures, asked) } : { isolated };
  } catch (cause) {
    const { name, message } = cause instanceof WgradError ? cause : new WgradError(String(cause), { cause });
    say(plainMessage(message), 'refused');
    return { isolated, error: { name, message } };
  }
}

window.wgradGolden = open(new URLSearchParams(location.search));
