/**
 * What the API answers when it refuses: Toxiproxy's own messages and status codes, because clients match on them.
 * Thrown by everything below the HTTP server, turned into a response only there. Never a stack trace on the wire.
 */
export class ApiError extends Error {
  readonly status: number;

  /** @param message sent as `error` @param status sent as `status` and as the HTTP status code */
  constructor(message: string, status: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** 400 `bad request body: …` */
export function badRequestBody(what: string): ApiError {
  return new ApiError(`bad request body: ${what}`, 400);
}

/** 400 `missing required field: …`; populate says which proxy by its place, as `name at proxy 2`. */
export function missingField(what: string): ApiError {
  return new ApiError(`missing required field: ${what}`, 400);
}

/** 400: `stream` is neither upstream nor downstream. */
export function invalidStream(): ApiError {
  return new ApiError('stream was invalid, can be either upstream or downstream', 400);
}

/** 400: no toxic of this type exists. */
export function invalidToxicType(): ApiError {
  return new ApiError('invalid toxic type', 400);
}

/** 404 */
export function proxyNotFound(): ApiError {
  return new ApiError('proxy not found', 404);
}

/** 404 */
export function toxicNotFound(): ApiError {
  return new ApiError('toxic not found', 404);
}

/** 409 */
export function proxyAlreadyExists(): ApiError {
  return new ApiError('proxy already exists', 409);
}

/** 409: names are unique over both directions of a proxy. */
export function toxicAlreadyExists(): ApiError {
  return new ApiError('toxic already exists', 409);
}
