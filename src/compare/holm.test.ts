import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holmAdjusted } from './holm.js';

test('the smallest p counts for all, the next for the rest, never less than the one before', () => {
  assert.deepEqual(holmAdjusted([0.01, 0.04, 0.03, null]), [0.03, 0.06, 0.06, null]);
  assert.deepEqual(holmAdjusted([0.5, 0.9]), [1, 1]);
  assert.deepEqual(holmAdjusted([0.008]), [0.008]);
});
