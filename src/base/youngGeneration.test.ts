import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { collectGarbage } from './garbage.js';
import { holdYoungGeneration, startWithSemiSpace } from './youngGeneration.js';

const isUntried = Number.parseInt(process.versions.v8, 10) > 13 && 'not tried with this V8';

test('held, the young generation does not grow with what survives in it; released, it does', { skip: isUntried }, async () => {
  await collectGarbage();
  const release = holdYoungGeneration();
  try {
    makeSurvivors();
    assert.ok(youngBytes() <= 4_200_000, `${youngBytes()} bytes while held`);
  } finally {
    release();
  }
  makeSurvivors();
  assert.ok(youngBytes() > 8_000_000, `${youngBytes()} bytes when released`);
});

test('a thread starts with the semi-space that it was promised, those after it with V8’s own', { skip: isUntried }, async () => {
  const release = startWithSemiSpace(16);
  assert.ok((await youngBytesOfThread()) >= 16 * 2 ** 20);
  release();
  assert.ok((await youngBytesOfThread()) < 8 * 2 ** 20);
});

async function youngBytesOfThread(): Promise<number> {
  const source = "require('worker_threads').parentPort.postMessage(require('v8').getHeapSpaceStatistics())";
  const thread = new Worker(source, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: 48 } });
  const [spaces] = (await once(thread, 'message')) as [ReturnType<typeof getHeapSpaceStatistics>];
  await thread.terminate();
  return spaces.find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/** 160 MB of garbage, of which each piece is kept for a while. */
function makeSurvivors(): void {
  const kept: number[][] = [];
  for (let i = 0; i < 200_000; i++) kept[i % 2000] = new Array<number>(100).fill(i);
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
