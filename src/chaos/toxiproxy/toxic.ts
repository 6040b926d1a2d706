/**
 * A toxic of a proxy, as the API knows it: made and changed from request bodies, shown in replies. What it does to a connection is a
 * stage (toxics/), driven by link.ts. An invalid body never changes it.
 */
import { invalidStream, invalidToxicType } from './errors.js';
import { asObject, type JsonObject, member, numberMember, textMember } from './requestBody.js';
import { toxicKinds } from './toxics/registry.js';
import type { ToxicKind } from './toxics/stage.js';

/** Upstream is client → server, downstream is server → client. */
export type Direction = 'upstream' | 'downstream';

export class Toxic {
  readonly kind: ToxicKind;
  readonly name: string;
  readonly stream: Direction;
  #toxicity: number;
  #attributes: Readonly<Record<string, number>>;

  /** Reads the body of POST …/toxics. Throws 400 in Toxiproxy's order: stream, type, attributes. */
  constructor(body: unknown) {
    const fields = asObject(body, 'toxic');
    const type = textMember(fields, 'type', '');
    const stream = textMember(fields, 'stream', 'downstream');
    const name = textMember(fields, 'name', '');
    this.#toxicity = numberMember(fields, 'toxicity', 'float64', 1);
    if (stream !== 'upstream' && stream !== 'downstream') throw invalidStream();
    const kind = toxicKinds.find((candidate) => candidate.type === type);
    if (kind === undefined) throw invalidToxicType();
    this.kind = kind;
    this.stream = stream;
    this.name = name === '' ? `${type}_${stream}` : name;
    this.#attributes = readAttributes(kind, fields, {});
  }

  /** Share of connections it acts on, 0..1. */
  get toxicity(): number {
    return this.#toxicity;
  }

  /** By Toxiproxy's names, all of them present. */
  get attributes(): Readonly<Record<string, number>> {
    return this.#attributes;
  }

  /** Reads the body of an update: attributes merge, name, type and stream are ignored. Throws 400 and changes nothing. */
  update(body: unknown): void {
    const fields = asObject(body, 'toxic');
    const toxicity = numberMember(fields, 'toxicity', 'float64', this.#toxicity);
    this.#attributes = readAttributes(this.kind, fields, this.#attributes);
    this.#toxicity = toxicity;
  }

  toJSON(): JsonObject {
    return { attributes: this.#attributes, name: this.name, type: this.kind.type, stream: this.stream, toxicity: this.#toxicity };
  }
}

function readAttributes(kind: ToxicKind, fields: JsonObject, current: Readonly<Record<string, number>>): Record<string, number> {
  const given = asObject(member(fields, 'attributes') ?? null, 'attributes');
  const attributes: Record<string, number> = {};
  for (const [name, type] of Object.entries(kind.attributes)) attributes[name] = numberMember(given, name, type, current[name] ?? 0);
  return attributes;
}
