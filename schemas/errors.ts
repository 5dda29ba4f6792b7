/**
 * The two errors a person sees as one line. Everything else is a defect and keeps its stack trace.
 * Form: `Cannot <action>: <thing> must be <wanted>, got <actual>`, then what to do if it is not obvious.
 */

/** The caller asked for something impossible (unknown key, bad flag, wrong shape). CLI exit code 2, HTTP 4xx. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code: string;
  /** Where in the input the fault lies, for instance `["inputs", 0, "shape"]`. */
  readonly path: readonly (string | number)[];

  constructor(message: string, options: { code?: string; path?: readonly (string | number)[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "usage";
    this.path = options.path ?? [];
  }
}

/** The request was fine and the world was not (truncated file, full disk, non-finite loss). CLI exit code 1. */
export class FailureError extends Error {
  override readonly name = "FailureError";
  readonly code: string;

  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "failure";
  }
}
