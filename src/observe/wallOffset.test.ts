import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallOffset } from './wallOffset.js';

const read = { atUs: 5_000_000, unseenAtUs: 4_980_000 };

test('a stamp is placed by the measured offset', () => {
  const offset = new WallOffset(() => -1_000_000_000);
  assert.equal(offset.placeUs(1_004_990, read.atUs, read.unseenAtUs), 4_990_000);
});

test('a stamp is never after its reading', () => {
  const offset = new WallOffset(() => -999_000_000);
  assert.equal(offset.placeUs(1_004_990, read.atUs, read.unseenAtUs), read.atUs);
});

test('a stamp a little before the last look stays, as its server may have been suspended; one long before it was a clock set back', () => {
  const offset = new WallOffset(() => -1_000_000_000);
  assert.equal(offset.placeUs(1_004_950, read.atUs, read.unseenAtUs), 4_950_000);
  assert.equal(offset.placeUs(1_000_000, read.atUs, read.unseenAtUs), read.unseenAtUs);
});

test('one bad measurement does not count, a step of the wall clock does after three', () => {
  let measured = -1_000_000_000;
  const offset = new WallOffset(() => measured);
  for (let i = 0; i < 60; i++) offset.sample();
  measured = -1_000_030_000;
  offset.sample();
  offset.sample();
  assert.equal(offset.offsetUs, -1_000_000_000);
  offset.sample();
  assert.equal(offset.offsetUs, -1_000_030_000);
});

test('the whole milliseconds of the wall clock do not make the offset jump', () => {
  let i = 0;
  const offset = new WallOffset(() => -1_000_000_000 + ((i++ * 373) % 1000));
  for (let k = 0; k < 60; k++) offset.sample();
  const steadyUs = offset.offsetUs;
  for (let k = 0; k < 60; k++) {
    offset.sample();
    assert.ok(Math.abs(offset.offsetUs - steadyUs) < 100, `${offset.offsetUs} ${steadyUs}`);
  }
});
