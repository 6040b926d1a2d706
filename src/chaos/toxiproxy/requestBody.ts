/**
 * Reads request bodies by the rules of Go's encoding/json, which Toxiproxy's clients rely on: names match without regard to
 * case, unknown names are ignored, null changes nothing, a wrong type is an error. Called by server.ts, proxyCollection.ts and toxic.ts.
 */
import { badRequestBody } from './errors.js';

/** A JSON object of a request body. */
export type JsonObject = Record<string, unknown>;

/** Parses a body. Throws 400 when it is empty or no JSON. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw badRequestBody('EOF');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequestBody(error instanceof Error ? error.message : String(error));
  }
}

/** A value that has to be an object; null counts as an empty one. */
export function asObject(value: unknown, what: string): JsonObject {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw badRequestBody(`json: cannot unmarshal ${kindOf(value)} into ${what}`);
  return value as JsonObject;
}

/** A value that has to be an array; null counts as an empty one. */
export function asArray(value: unknown, what: string): unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw badRequestBody(`json: cannot unmarshal ${kindOf(value)} into ${what}`);
  return value;
}

/** The member of that name, or undefined when it is absent or null. */
export function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name] ?? undefined;
  const lower = name.toLowerCase();
  for (const key of Object.keys(object)) if (key.toLowerCase() === lower) return object[key] ?? undefined;
  return undefined;
}

/** A text member, or `fallback` when absent. */
export function textMember(object: JsonObject, name: string, fallback: string): string {
  const value = member(object, name);
  if (value === undefined) return fallback;
  if (typeof value !== 'string') throw wrongType(value, name, 'string');
  return value;
}

/** A boolean member, or `fallback` when absent. */
export function booleanMember(object: JsonObject, name: string, fallback: boolean): boolean {
  const value = member(object, name);
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw wrongType(value, name, 'bool');
  return value;
}

/** A number member, or `fallback` when absent; `int64` refuses fractions. */
export function numberMember(object: JsonObject, name: string, type: 'int64' | 'float64', fallback: number): number {
  const value = member(object, name);
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || (type === 'int64' && !Number.isInteger(value))) throw wrongType(value, name, type);
  return value;
}

function wrongType(value: unknown, name: string, type: string): Error {
  const shown = typeof value === 'number' ? `number ${value}` : kindOf(value);
  return badRequestBody(`json: cannot unmarshal ${shown} into field ${name} of type ${type}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
