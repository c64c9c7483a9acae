// The format of scenarios as JSON Schema, so that an editor helps while one is written.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultSchema } from '../fault/fault.js';
import { SCENARIOS_FOLDER, ScenarioSchema } from './scenario.js';

export const SCENARIO_SCHEMA_FILE = 'scenario.schema.json';

/** The format as plain JSON Schema. */
export function scenarioJsonSchema(): Record<string, unknown> {
  // An editor chooses among the kinds of faults by their union; the product checks each by its own kind.
  const schema = JSON.parse(
    JSON.stringify(ScenarioSchema, (key, value) => (key === 'faults' ? { ...value, items: FaultSchema } : value)),
  ) as Record<string, unknown>;
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Scenario of simulated posts', ...schema };
}

/** Writes the file that scenarios name in their `$schema`. */
export function writeScenarioSchema(folder: string = SCENARIOS_FOLDER): void {
  writeFileSync(join(folder, SCENARIO_SCHEMA_FILE), `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
}
