import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleepUs } from '../base/clock.js';
import { NodeProbe, POLL_INTERVAL_US, REPLY_LIMIT_US } from './nodeProbe.js';
import { startServers, until } from './servers.test.support.js';

test('a pause of our own process makes no node unreachable, a node that stays silent is', async (t) => {
  const running = await startServers('standalone', [{ role: 'master', slots: ['0-16383'], masterId: null }]);
  t.after(() => running.close());
  const told: boolean[] = [];
  const probe = new NodeProbe(
    'n1',
    () => running.target.control('n1'),
    { of: 'server' },
    {
      answer: () => {},
      reachable: (_, { reachable }) => told.push(reachable),
    },
  );
  t.after(() => probe.stop());
  probe.tick();
  await until('the first answer', () => probe.answerCount > 0);
  probe.tick(); // A question is out …
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, (REPLY_LIMIT_US + POLL_INTERVAL_US) / 1000); // … and answered, and nobody reads.
  probe.tick();
  await sleepUs(POLL_INTERVAL_US);
  probe.tick();
  assert.deepEqual(told, []);

  running.servers[0]?.signal('SIGSTOP');
  for (let ticks = 0; ticks < 20 && told.length === 0; ticks++) {
    probe.tick();
    await sleepUs(POLL_INTERVAL_US);
  }
  running.servers[0]?.signal('SIGCONT');
  assert.deepEqual(told, [false]);
});
