import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { GeneratorHealth } from './generatorHealth.js';
import { until } from './redisServer.test.support.js';

test('garbage collections are counted, with their pauses', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const health = new GeneratorHealth(0);
  try {
    collect();
    await until('the first collection is seen', () => (health.sample(0).gcCount ?? 0) > 0);
    collect();
    health.restart();
    let gcCount = 0;
    let gcPauseUs = 0;
    collect();
    collect();
    await until('two collections are seen', () => {
      const sample = health.sample(0);
      gcCount += sample.gcCount ?? 0;
      gcPauseUs += sample.gcPauseUs ?? 0;
      return gcCount >= 2;
    });
    assert.ok(gcPauseUs > 0 && gcPauseUs < 10_000_000, `${gcPauseUs}`);
  } finally {
    health.close();
  }
});
