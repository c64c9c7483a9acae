// Prints every register of a scenario's posts after some hours, for tests: `print-registers.ts SCENARIO SEED HOURS [reversed]`.
import { loadCatalog } from '#profiles/catalog.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation } from '#simulators/simulation.js';

const [name = '', seed = '', hours = '', order] = process.argv.slice(2);
const loaded = loadScenario(name);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
const posts = order === 'reversed' ? [...loaded.value.posts].reverse() : loaded.value.posts;
const startAt = Date.UTC(2026, 0, 1);
const { profiles: catalog } = loadCatalog();
const simulation = createSimulation({ ...loaded.value, posts }, { startAt, seed: Number(seed), catalog });
for (let step = 1; step <= Number(hours) * 360; step += 1) simulation.stepTo(startAt + step * 10_000);
for (const post of [...simulation.posts.values()].sort((a, b) => a.id.localeCompare(b.id)))
  for (const { id, device } of post.devices)
    for (const [table, words] of Object.entries(device.image()))
      process.stdout.write(`${post.id} ${id} ${table} ${JSON.stringify([...words])}\n`);
