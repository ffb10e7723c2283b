import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryOf } from "../../pages/ui/viewer/memory.js";

test("each clip has its own place, and finds it again", () => {
  const one = memoryOf("player", "street");
  one.frame = 42;
  assert.equal(memoryOf("player", "balance").frame, undefined);
  assert.equal(memoryOf("another player", "street").frame, undefined);
  assert.equal(memoryOf("player", "street"), one);
});

test("what was not looked at for the longest is forgotten", () => {
  const first = memoryOf("player", "first"), second = memoryOf("player", "second");
  memoryOf("player", "first");
  for (let n = 0; n < 49; n++) memoryOf("player", `clip ${n}`);
  assert.equal(memoryOf("player", "first"), first);
  assert.notEqual(memoryOf("player", "second"), second);
});
