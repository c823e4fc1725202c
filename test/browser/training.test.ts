// The browser bundle in a plain module script: the README's example learns, memory stays flat, and wasm gives the same
// bits on one thread and on three.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { transform } from 'esbuild';
import t from 'tap';
import type * as Wgrad from '../../engine/index.ts';
import type { DeviceChoice } from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { withoutBrowser, withPage, writeFixtures } from './chromium.ts';

/** Runs the example of a page for people that names `word`, as a module script, and returns what it prints. */
async function runExample(folder: string, file: string, word: string): Promise<string[]> {
  const text = await readFile(path.join(repositoryRoot(), file), 'utf8');
  const blocks = Array.from(text.matchAll(/```ts\n([\s\S]*?)```/g), ([, block]) => block!);
  const example = blocks.find((block) => block.includes(word))!.replace(/'wgrad(\/browser)?'/, "'./wgrad.js'");
  const { code } = await transform(example, { loader: 'ts', target: 'es2022' });
  const lines: string[] = [];
  await withPage(folder, {}, async (page) => {
    page.on('console', (message) => lines.push(message.text()));
    const broken = new Promise<never>((_, reject) => page.on('pageerror', reject));
    await page.addScriptTag({ type: 'module', content: `${code}\ndocument.title = 'done';` });
    await Promise.race([page.waitForFunction(() => document.title === 'done'), broken]);
  });
  return lines;
}

t.test('the training example of the README', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const lines = await runExample(folder, 'README.md', 'backward()');
  const losses = lines.filter((line) => /^\d+ /.test(line)).map((line) => Number(line.split(' ')[1]));
  t.equal(losses.length, 4);
  t.ok(losses[3]! < 0.05, `the last loss is small: ${lines.join('; ')}`);
});

t.test("a page's own GPUDevice, as in docs/browser.md", { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const lines = await runExample(folder, 'docs/browser.md', 'tensorFromBuffer');
  t.same(
    lines.filter((line) => line.includes('12')),
    ['2,4,6 12'],
  );
});

/** Learns XOR and tells the loss and what the device holds after each step. Runs in the page. */
async function train({ address, name, steps }: { address: string; name: DeviceChoice; steps: number }) {
  const { createDevice, crossEntropy, nn, relu, scope, setDefaultDevice, SGD, tensor, manualSeed } = (await import(
    address
  )) as typeof Wgrad;
  const device = await createDevice(name);
  setDefaultDevice(device);
  manualSeed(1);
  const [first, last] = [new nn.Linear(2, 16), new nn.Linear(16, 2)];
  const optimizer = new SGD([...first.parameters(), ...last.parameters()], { lr: 0.5, momentum: 0.9 });
  const losses: number[] = [];
  const held: string[] = [];
  for (let step = 0; step < steps; step++) {
    const made = scope();
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const loss = crossEntropy(last.forward(relu(first.forward(x))), tensor(Int32Array.of(0, 1, 1, 0), [4]));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
    made[Symbol.dispose]();
    const { liveBuffers, liveBytes, pooledBytes } = device.statistics();
    held.push(`${liveBuffers} buffers, ${liveBytes} bytes, ${pooledBytes} in the pool`);
  }
  return { device: device.description, losses, held };
}

for (const name of ['wasm', 'webgpu', 'auto'] as const) {
  t.test(`training on ${name}`, { skip: withoutBrowser }, async (t) => {
    const folder = t.testdir();
    await writeFixtures(folder);
    const task = { address: './wgrad.js', name, steps: 200 };
    const { device, losses, held } = await withPage(folder, {}, (page) => page.evaluate(train, task));
    t.match(device, name === 'webgpu' ? /^webgpu .*software/ : /^wasm /, 'a software adapter only when asked for');
    const [start, middle, end] = [losses[0]!, losses[50]!, losses[199]!];
    t.ok(end < middle && middle < start && end < 0.01, `the loss falls: ${start}, ${middle}, ${end}`);
    t.same([...new Set(held.slice(20))], [held[199]], 'memory is flat after the first steps');
  });
}

/** The gradients of a small network, large enough that every thread has work. Runs in the page. */
async function gradients({ address, threads }: { address: string; threads: number }) {
  const { createDevice, manualSeed, nn, relu, setDefaultDevice, tensor } = (await import(address)) as typeof Wgrad;
  const device = await createDevice('wasm', { threads });
  setDefaultDevice(device);
  manualSeed(2);
  const net = [new nn.Conv2d(8, 16, 3, { padding: 1 }), new nn.Conv2d(16, 8, 3, { padding: 1 })] as const;
  const values = Float32Array.from({ length: 4 * 8 * 33 * 31 }, (_, i) => Math.sin(i * i));
  const x = tensor(values, [4, 8, 33, 31]);
  net[1]
    .forward(relu(net[0].forward(x)))
    .square()
    .mean()
    .backward();
  const parameters = net.flatMap((layer) => [...layer.parameters()]);
  const grads = await Promise.all(parameters.map(async ({ grad }) => Array.from(await grad!.array())));
  return { threads: device.facts.threads, values: grads.flat() };
}

t.test('one thread and three give the same bits', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const task = { address: './wgrad.js', threads: 3 };
  const isolated = await withPage(folder, {}, (page) => page.evaluate(gradients, task));
  const alone = await withPage(folder, { isolation: false }, (page) => page.evaluate(gradients, task));
  t.equal(isolated.threads, 3);
  t.equal(alone.threads, 1);
  t.ok(alone.values.length > 2000 && alone.values.some((value) => value !== 0));
  t.same(isolated.values, alone.values);
});
