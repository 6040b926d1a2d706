import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutcomeIndex } from '../load/client.js';
import { openPhase, planOf } from '../load/engine.test.support.js';
import { Ledger } from '../load/ledger.js';
import { Count, type LedgerMemory, makeLedgerMemory } from '../load/ledgerMemory.js';
import { DEL, GET, SET } from '../load/share.js';
import { ValueStamper } from '../workload/valueStamp.js';
import { ValuePool } from '../workload/values.js';
import { FinalJudge, UnknownWrites } from './finalValue.js';
import { findLostWrites } from './lostWrites.js';

const BYTES = 64;
const pool = new ValuePool(1, 5000);
const { ok, fail, info } = OutcomeIndex;
const KEY = 7;

class Case {
  readonly memory: LedgerMemory;
  readonly ledger: Ledger;
  readonly #stamper: ValueStamper;
  #us = 0;

  constructor(keyStride = 1) {
    const plan = planOf({ phases: [openPhase(100, 1_000_000)] });
    plan.load.ledger = { keyStride };
    const memory = makeLedgerMemory(plan, 2);
    assert.ok(memory);
    this.memory = memory;
    this.ledger = new Ledger({ memory, worker: 0, ttlUs: 0, timeoutUs: 1000, resends: false });
    this.#stamper = new ValueStamper(memory.run, 0);
  }

  write(op: number, outcome: OutcomeIndex, valueBytes = BYTES): number {
    this.#us += 100;
    const version = this.ledger.sent(3, op, KEY, valueBytes);
    this.ledger.ended(3, 9, op, KEY, outcome, this.#us, 1);
    return version;
  }

  value(version: number, keyIndex = KEY, bytes = BYTES): Buffer {
    return Buffer.from(this.#stamper.textOf(keyIndex, version, bytes) + pool.textOf(keyIndex, bytes).slice(24));
  }

  verdict(value: Buffer | null, { ttlUs = 0, hasEvictions = false, readUs = 1_000_000 } = {}): string {
    const unknown = new UnknownWrites(this.memory, (worker) => this.memory.workers[worker]?.counts[Count.unknowns] ?? 0);
    const judge = new FinalJudge({ memory: this.memory, unknown, pool, ttlUs, timeoutUs: 1000, hasEvictions });
    const verdict = judge.judge(KEY, value, readUs);
    return verdict.kind === 'lost' ? `lost, has ${verdict.foundVersion}${verdict.isResurrected ? ', resurrected' : ''}` : verdict.kind;
  }
}

test('the newest acknowledged version is intact; an older one is lost; one that was never sent, or refused, is a violation', () => {
  const one = new Case();
  assert.deepEqual([one.write(SET, ok), one.write(SET, ok), one.write(SET, fail)], [1, 2, 3]);
  assert.equal(one.verdict(one.value(2)), 'intact');
  assert.equal(one.verdict(one.value(1)), 'lost, has 1');
  assert.equal(one.verdict(one.value(3)), 'neverWritten');
  assert.equal(one.verdict(one.value(4)), 'neverWritten');
  assert.equal(one.verdict(null), 'lost, has -1');
});

test('a write of unknown outcome may happen at any later time: newer it is intact, older it is explained and not lost', () => {
  const one = new Case();
  one.write(SET, ok);
  one.write(SET, info);
  assert.equal(one.verdict(one.value(2)), 'intact');
  assert.equal(one.verdict(one.value(1)), 'intact');
  one.write(SET, ok);
  assert.equal(one.verdict(one.value(2)), 'overwrittenByIndeterminate');
  assert.equal(one.verdict(one.value(1)), 'lost, has 1');
  one.write(DEL, info);
  assert.equal(one.verdict(null), 'deletedByIndeterminate');
});

test('a deleted key is gone; with a value it came back', () => {
  const one = new Case();
  one.write(SET, ok);
  one.write(DEL, ok);
  assert.equal(one.verdict(null), 'intact');
  assert.equal(one.verdict(one.value(1)), 'lost, has 1, resurrected');
  assert.equal(one.verdict(one.value(2)), 'neverWritten');
});

test('a TTL and evictions explain a missing key, and nothing else', () => {
  const one = new Case();
  one.write(SET, ok);
  one.write(SET, ok);
  assert.equal(one.verdict(null, { ttlUs: 900_000 }), 'expired');
  assert.equal(one.verdict(null, { ttlUs: 2_000_000 }), 'lost, has -1');
  assert.equal(one.verdict(null, { hasEvictions: true }), 'evicted');
  assert.equal(one.verdict(one.value(1), { ttlUs: 1, hasEvictions: true }), 'lost, has 1');
});

test('damaged and foreign values, in the stamp and behind it', () => {
  const one = new Case();
  one.write(SET, ok);
  const changed = (at: number): Buffer => {
    const value = one.value(1);
    value[at] = (value[at] ?? 0) ^ 1;
    return value;
  };
  assert.deepEqual([one.verdict(changed(0)), one.verdict(changed(17)), one.verdict(changed(40))], ['corrupt', 'corrupt', 'corrupt']);
  assert.equal(one.verdict(one.value(1).subarray(0, 60)), 'corrupt');
  assert.equal(one.verdict(one.value(1, 8)), 'foreign');
  assert.equal(one.verdict(Buffer.alloc(6000, 'x')), 'corrupt');
});

test('values too short for a stamp: which one it is cannot be told, whose it is can', () => {
  const one = new Case();
  assert.equal(one.write(SET, ok, 10), -1);
  const short = Buffer.from(pool.textOf(KEY, 10));
  assert.equal(one.verdict(short), 'intact');
  assert.equal(one.verdict(Buffer.from('something')), 'corrupt');
  one.write(SET, ok);
  assert.equal(one.verdict(short), 'lost, has null');
});

test('every acknowledged write that is newer than what the key holds is lost, with its time; of a key that is gone, since its last DEL', () => {
  const one = new Case();
  for (const [op, outcome] of [
    [SET, ok],
    [DEL, ok],
    [SET, ok],
    [SET, fail],
    [SET, ok],
  ] as const)
    one.write(op, outcome);
  const lost = (found: number | null): string[] =>
    findLostWrites({
      memory: one.memory,
      lostKeys: new Map([[KEY, found]]),
      lostAtEnd: new Map(),
      hasPreload: true,
      places: { nameOf: () => 'k', slotOf: () => 5, shardOf: () => 2 },
      faults: [
        { faultId: 1, kind: 'kill', beganUs: 350, injectedAtUs: 350, healedAtUs: 400, targets: [], shards: new Set([2]) },
        { faultId: 2, kind: 'kill', beganUs: 450, injectedAtUs: 450, healedAtUs: null, targets: [], shards: new Set([2]) },
      ],
    }).writes.map(({ op, version, ackedUs, faultId }) => `${op} ${version} at ${ackedUs} by ${faultId}`);
  assert.deepEqual(lost(3), ['set 5 at 500 by 2']);
  assert.deepEqual(lost(-1), ['set 3 at 300 by 1', 'set 5 at 500 by 2']);
  assert.deepEqual(lost(1), ['del 2 at 200 by 1', 'set 3 at 300 by 1', 'set 5 at 500 by 2']);
  assert.deepEqual(lost(null), ['set 5 at 500 by 2']);
});

test('of a large key space every n-th key is tracked, and the others are left as they are', () => {
  const one = new Case(2);
  assert.equal(one.memory.trackedKeys, 50);
  assert.equal(one.ledger.sent(0, SET, 7, BYTES), -1);
  assert.equal(one.ledger.sent(0, GET, 7, 0), -1);
  assert.equal(one.ledger.sent(0, SET, 8, BYTES), 1);
  one.ledger.ended(0, 0, SET, 8, ok, 1, 1);
  assert.equal(one.memory.acked[4], 4);
});
