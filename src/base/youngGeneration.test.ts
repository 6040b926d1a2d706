import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { collectGarbage } from './garbage.js';
import { holdYoungGeneration } from './youngGeneration.js';

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

/** 160 MB of garbage, of which each piece is kept for a while. */
function makeSurvivors(): void {
  const kept: number[][] = [];
  for (let i = 0; i < 200_000; i++) kept[i % 2000] = new Array<number>(100).fill(i);
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
