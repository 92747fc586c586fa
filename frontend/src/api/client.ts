/** The one way to the backend: typed by its own description, cookies for who we are, ApiError for what went wrong. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Job = Schemas['JobWithMetrics'];
export type State = Schemas['State'];
export type Dataset = Schemas['DatasetOut'];
export type Trainer = Schemas['TrainerOut'];

/** What the backend answered in the place of what was asked: `code` for machines, the rest for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly field: string | null,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** The backend could not be reached, or is on its way up or down: trying again may help. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 502;
  }
}

export const api = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin' });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's data; throws ApiError. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'unreachable', 'The backend does not answer.', '', null);
  }
  if (answer.response.ok) return answer.data as T;
  throw errorOf(answer.response.status, answer.error);
}

export function errorOf(status: number, body: unknown): ApiError {
  const told = isErrorBody(body) ? body.error : null;
  return new ApiError(
    status,
    told?.code ?? `http_${status}`,
    told?.message ?? '',
    told?.hint ?? '',
    told?.field ?? null,
  );
}

type ErrorBody = { error: { code: string; message: string; hint: string; field: string | null } };

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object';
}
