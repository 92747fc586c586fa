/** An upload's calls as they go over the wire. Pieces are bytes, so they don't go through the typed client. */
import { ApiError, api, ask, type Dataset, errorOf } from '~/api/client';
import type { Begun, Transport } from './shapes';

async function call(path: string, init: RequestInit): Promise<{ status: number; body: unknown }> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(0, 'unreachable', '', '', null);
  }
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw errorOf(answer.status, body);
  return { status: answer.status, body };
}

export const transport: Transport = {
  begin: (source, wanted, signal) =>
    ask(
      api.POST('/v1/uploads', {
        body: {
          name: wanted.name,
          bytes: source.bytes,
          project_id: wanted.project,
          file_name: source.fileName.slice(0, 255),
        },
        signal,
      }),
    ),
  howFar: (id, signal) => ask(api.GET('/v1/uploads/{upload_id}', { params: { path: { upload_id: id } }, signal })),
  send: async (id, offset, piece, signal) => {
    const headers = { 'Content-Type': 'application/octet-stream', 'Upload-Offset': String(offset) };
    return (await call(`/v1/uploads/${id}`, { method: 'PATCH', body: new Blob([piece]), headers, signal }))
      .body as Begun;
  },
  finish: async (id, signal) => {
    const { status, body } = await call(`/v1/uploads/${id}/finish`, { method: 'POST', signal });
    return { dataset: body as Dataset, known: status === 200 };
  },
  drop: async (id) => {
    await call(`/v1/uploads/${id}`, { method: 'DELETE' });
  },
};
