/**
 * `Headers`, `Request` and `Response` as data. Each side has classes of its own (the host's real ones, the realm's), and says how they
 * are written and read.
 *
 * A body crosses whole, as text where it is UTF-8, so that it can be read in the event log. One that was received crosses also after
 * it was read: what is done with the log does not depend on who looked first.
 */

/** Ids under which the three cross, among those of classes. */
export const HTTP_IDS = { headers: 'Headers', request: 'Request', response: 'Response' } as const;

export type BodyData = string | { base64: string } | null;
export type HeadersData = [name: string, value: string][];

export interface RequestData {
  method: string;
  url: string;
  headers: HeadersData;
  body: BodyData;
  /** Unless it is `follow`. */
  redirect?: RequestRedirect;
  /** Of a webhook that is answered by hand. */
  answer?: AnswerAddress;
}

export interface ResponseData {
  /** 0 stands for `Response.error()`. */
  status: number;
  statusText: string;
  headers: HeadersData;
  body: BodyData;
  /** Of one that was fetched. */
  url?: string;
  redirected?: true;
}

/** Where the answer to a request goes. */
export interface AnswerAddress {
  /** Token of a hook of the run. */
  token: string;
  /** Tells the requests of one webhook apart. */
  id: string;
}

/** Classes that are part of the platform and not of the program. */
export interface Platform {
  /** As what an instance crosses; undefined when it is none of them, or cannot. */
  write(value: object): { id: string; data: unknown } | undefined;
  /** The instance; undefined for other ids. */
  read(id: string, data: unknown): unknown;
}
