// Names of fleets, posts and devices. Checked once at the door, trusted inside.

/** Topic levels, file names and database tags take these without escaping. */
export const IDENTIFIER_PATTERN = '^[a-z0-9-]{1,32}$';

const identifier = new RegExp(IDENTIFIER_PATTERN);

export function isIdentifier(text: string): boolean {
  return identifier.test(text);
}
