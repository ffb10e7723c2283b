// What a person did reaches the server: a moment later, or at once where the moment may not come.

import assert from "node:assert/strict";
import test from "node:test";

import { Later } from "../../pages/ui/viewer/sending.js";

test("quick changes are told once, with the last of them", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const told = /** @type {string[]} */ ([]);
  const sending = new Later((/** @type {string} */ value) => told.push(value));
  sending.later("drag");
  context.mock.timers.tick(200);
  sending.later("drag and tap");
  context.mock.timers.tick(200);
  assert.deepEqual(told, []);
  context.mock.timers.tick(100);
  assert.deepEqual(told, ["drag and tap"]);
});

test("what waits is told before the page changes, and not twice", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const told = /** @type {string[]} */ ([]);
  const sending = new Later((/** @type {string} */ value) => told.push(value));
  sending.now();
  sending.later("tap");
  sending.now();
  context.mock.timers.tick(1000);
  sending.now();
  assert.deepEqual(told, ["tap"]);
});
