// Bodies mean what they say: the default compiler turns 5 into "5", as query strings and addresses need.
import type { FastifySchemaCompiler } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { doorOf } from '#contract/door.js';
import { Problem } from './problem.js';

type Validate = (value: unknown) => { value: unknown } | { error: Problem };

/** A validator compiler for a route with a body and, perhaps, words in its address. */
export function bodyOf<Schema extends TSchema>(schema: Schema): FastifySchemaCompiler<unknown> {
  const readBody = validatorOf(schema);
  return ({ httpPart, schema: other }) => (httpPart === 'body' ? readBody : validatorOf(other as TSchema));
}

function validatorOf<Schema extends TSchema>(schema: Schema): Validate {
  const door = doorOf(schema);
  return (value) => {
    const read = door(value);
    if (read.ok) return { value: read.value satisfies Static<Schema> };
    return { error: new Problem(400, 'API_INVALID', 'wrong request: see faults', [...read.fault]) };
  };
}
