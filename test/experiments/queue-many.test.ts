// Many runs in a queue: how long what is around a run takes, and that memory stays where it is. The gate makes 500; `--runs 10000`.
import { parseArgs } from 'node:util';
import t from 'tap';
import { connect } from '../../experiments/queue/connection.ts';
import { type Made, QUEUE, type RunJobData } from '../../experiments/queue/jobs.ts';
import { Follower } from '../../experiments/queue/producer.ts';
import { dataOf } from './queued.ts';
import { noServer, startServer } from './redis.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' } }, strict: false });
const RUNS = Number(values.runs ?? 500);

t.test('runs that make nothing', { skip: noServer }, async (t) => {
  const server = await startServer(t.testdir());
  const connection = await connect(server.url, (text) => t.comment(text));
  const follower = new Follower(connection);
  const asked = Array.from({ length: RUNS }, (_, i) => ({ id: `grid-${i}`, data: dataOf(`run ${i}`) }));
  const began = performance.now();
  await follower.add(asked);
  const made: Made = { attempt: 'a', isShared: true, files: [], worker: 'w' };
  const used = (): number => (globalThis.gc?.(), process.memoryUsage().rss / 2 ** 20);
  let count = 0;
  const memory: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const worker = new connection.bull.Worker<RunJobData, Made>(
      QUEUE,
      () => {
        if (++count % (RUNS / 10) === 0) memory.push(used());
        return Promise.resolve(made);
      },
      { ...connection.options, concurrency: 50 },
    );
    worker.on('error', reject);
    worker.on('drained', () => void worker.close().then(resolve));
  });
  const ids = asked.map(({ id }) => id);
  t.ok((await follower.states(ids)).every((state) => state === 'completed'));
  t.equal(count, RUNS, 'each once');
  t.same(await follower.made(ids[RUNS - 1]!), made);
  await follower.remove(ids);
  t.ok((await follower.states(ids)).every((state) => state === 'gone'));
  const seconds = (performance.now() - began) / 1000;
  t.comment(`${seconds.toFixed(1)} s; memory ${memory.map((each) => each.toFixed(0)).join(', ')} MiB`);
  t.ok(seconds < 60, `${seconds.toFixed(1)} s`);
  t.ok(Math.max(...memory.slice(2)) - memory[1]! < 64, 'memory stays where it is');
  await follower.close();
  await connection.close();
  await server.kill();
});
