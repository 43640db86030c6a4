/**
 * Stands between one worker and Temporal, sees which activities are handed out and answered, and can hold or lose an answer.
 * It forwards gRPC calls message by message: every call between worker and server has one request and one response.
 */
import { EventEmitter, once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { temporal } from '@temporalio/proto';

const api = temporal.api.workflowservice.v1;
const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';
/** gRPC's status UNAVAILABLE: the caller tries again by itself. */
const UNAVAILABLE = '14';

/** An activity as Temporal handed it to the worker. */
export interface HandedTask {
  /** `<step>.<n>`. */
  readonly activityId: string;
  readonly activityType: string;
  /** From 1. */
  readonly attempt: number;
}

export type TaskEvent = HandedTask & {
  readonly what: 'handed' | 'heartbeat' | 'completing' | 'failing';
};

/** What becomes of a worker's answer that an activity is done: `lose` tells the worker that it arrived, and it did not. */
export type AnswerFate = 'forward' | 'lose';

type Message = Buffer<ArrayBufferLike>;

export class TemporalProxy {
  readonly #server = http2.createServer();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  readonly #tasks = new Map<string, HandedTask>();
  readonly #events = new EventEmitter();
  #upstream: http2.ClientHttp2Session | undefined;
  /** Asked before the answer of a done activity goes on. */
  onCompleting: (task: HandedTask) => AnswerFate | Promise<AnswerFate> = () => 'forward';
  readonly seen: TaskEvent[] = [];
  #polled = false;

  private constructor(private readonly target: string) {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => undefined);
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      void this.#call(stream, headers);
    });
  }

  /** @param target `host:port` of the Temporal server */
  static async start(target: string): Promise<TemporalProxy> {
    const proxy = new TemporalProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Whether the worker has asked for activities. */
  get polled(): boolean {
    return this.#polled;
  }

  /** Calls back for every event from now on; @returns what ends that */
  listen(listener: (event: TaskEvent) => void): () => void {
    this.#events.on('task', listener);
    return () => this.#events.off('task', listener);
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#upstream?.destroy();
    this.#server.close();
  }

  async #call(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
    const path = String(headers[':path']);
    try {
      const request = await bodyOf(stream);
      if ((await this.#asked(path, request)) === 'lose') {
        answerEmpty(stream);
        return;
      }
      const answer = await this.#forward(stream, headers, request);
      if (stream.destroyed) return;
      this.#answered(path, answer.body);
      if (answer.trailers === undefined) {
        stream.respond(answer.headers, { endStream: true });
        return;
      }
      const { trailers } = answer;
      stream.respond(answer.headers, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(answer.body);
    } catch {
      if (!stream.destroyed && !stream.headersSent) {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': UNAVAILABLE },
          { endStream: true },
        );
      }
    }
  }

  async #asked(path: string, request: Message): Promise<AnswerFate> {
    if (path === `${SERVICE}PollActivityTaskQueue`) this.#polled = true;
    if (path === `${SERVICE}RecordActivityTaskHeartbeat`) {
      this.#tell('heartbeat', api.RecordActivityTaskHeartbeatRequest.decode(payloadOf(request)).taskToken);
    } else if (path === `${SERVICE}RespondActivityTaskFailed`) {
      this.#tell('failing', api.RespondActivityTaskFailedRequest.decode(payloadOf(request)).taskToken);
    } else if (path === `${SERVICE}RespondActivityTaskCompleted`) {
      const task = this.#tell(
        'completing',
        api.RespondActivityTaskCompletedRequest.decode(payloadOf(request)).taskToken,
      );
      return task === undefined ? 'forward' : this.onCompleting(task);
    }
    return 'forward';
  }

  #answered(path: string, body: Message): void {
    if (body.length === 0) return;
    if (path === `${SERVICE}PollActivityTaskQueue`) {
      this.#handOver(api.PollActivityTaskQueueResponse.decode(payloadOf(body)));
    } else if (path === `${SERVICE}RespondWorkflowTaskCompleted`) {
      // Activities that the server hands to the same worker at once.
      for (const task of api.RespondWorkflowTaskCompletedResponse.decode(payloadOf(body)).activityTasks) {
        this.#handOver(task);
      }
    }
  }

  #handOver(task: temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse): void {
    if (task.taskToken == null || task.taskToken.length === 0) return;
    this.#tasks.set(keyOf(task.taskToken), {
      activityId: task.activityId ?? '',
      activityType: task.activityType?.name ?? '',
      attempt: task.attempt ?? 1,
    });
    // Told when it is on its way, so that whoever is told finds the worker with it in its hands.
    setImmediate(() => this.#tell('handed', task.taskToken));
  }

  #tell(what: TaskEvent['what'], token: Uint8Array | null | undefined): HandedTask | undefined {
    const task = token == null ? undefined : this.#tasks.get(keyOf(token));
    if (task === undefined) return undefined;
    const event = { ...task, what };
    this.seen.push(event);
    this.#events.emit('task', event);
    return task;
  }

  #forward(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, request: Message) {
    return new Promise<{
      headers: http2.OutgoingHttpHeaders;
      body: Message;
      trailers: http2.OutgoingHttpHeaders | undefined;
    }>((resolve, reject) => {
      const { ':authority': _authority, ...kept } = headers;
      const call = this.#session().request({ ...kept, ':authority': this.target });
      let answer: http2.OutgoingHttpHeaders = {};
      let trailers: http2.OutgoingHttpHeaders | undefined;
      const chunks: Message[] = [];
      // The worker has gone: a poll that nobody waits for must not take a task.
      stream.once('close', () => call.close(http2.constants.NGHTTP2_CANCEL));
      call.once('response', (received) => {
        answer = outgoing(received);
      });
      call.on('data', (chunk: Message) => chunks.push(chunk));
      call.once('trailers', (received) => {
        trailers = outgoing(received);
      });
      call.once('error', reject);
      call.once('close', () => {
        if (answer[':status'] === undefined) reject(new Error('the server has gone'));
        else if (trailers === undefined && answer['grpc-status'] === undefined)
          reject(new Error('cut short'));
        else resolve({ headers: answer, body: Buffer.concat(chunks), trailers });
      });
      call.end(request);
    });
  }

  #session(): http2.ClientHttp2Session {
    if (this.#upstream === undefined || this.#upstream.closed || this.#upstream.destroyed) {
      const session = http2.connect(`http://${this.target}`);
      const drop = () => {
        if (this.#upstream === session) this.#upstream = undefined;
      };
      session.on('error', drop);
      session.on('goaway', drop);
      session.on('close', drop);
      this.#upstream = session;
    }
    return this.#upstream;
  }
}

async function bodyOf(stream: http2.ServerHttp2Stream): Promise<Message> {
  const chunks: Message[] = [];
  for await (const chunk of stream) chunks.push(chunk as Message);
  return Buffer.concat(chunks);
}

function keyOf(token: Uint8Array): string {
  return Buffer.from(token).toString('base64');
}

/** One message of gRPC: a byte that says whether it is compressed, its length, and itself. */
function payloadOf(body: Message): Message {
  const message = body.subarray(5, 5 + body.readUInt32BE(1));
  return body[0] === 1 ? gunzipSync(message) : message;
}

function outgoing(received: object): http2.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(received)) as http2.OutgoingHttpHeaders;
}

/** An answer without content: the worker takes it for granted that the server knows. */
function answerEmpty(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}
