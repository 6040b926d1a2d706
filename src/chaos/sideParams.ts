/** Parameters of the network faults that name nodes and clients. */
import { z } from 'zod';
import type { NamedSelector } from './fault.js';

const member = z
  .string()
  .min(1)
  .meta({ title: 'node selector', examples: ['master[0]', 'rest', 'clients of minority'] });

/** One side: a list, or a single member. */
export const sideMembers = z.union([z.array(member).min(1).max(100), member.transform((one) => [one])]);

/** At least so many sides, each a list. */
export function sideGroups(least: number) {
  return z.array(z.array(member).min(1).max(100)).min(least).max(20);
}

export function selectorsOfGroups(key: string, groups: readonly (readonly string[])[]): NamedSelector[] {
  return groups.flatMap((members, i) => members.map((text, j) => ({ path: [key, i, j], text })));
}

export function selectorsOfMembers(key: string, members: readonly string[]): NamedSelector[] {
  return members.map((text) => ({ path: [key], text }));
}
