import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { Request, RequestHandler } from "express";
import type { Static } from "typebox";
import { UsageError } from "../../schemas/errors.ts";
import { preview, validate } from "../../schemas/validate.ts";
import { bytesOfBody, isJson, mediaType, parseJson, rawBody, unsupported } from "../http/body.ts";
import { HttpError } from "../http-error.ts";
import type { GivenInput } from "./task-inputs.ts";
import { type RequestSchema, twice, typedSettings, withQuery } from "./task-settings.ts";

/**
 * Bodies of task routes: JSON; a form with files (`curl -F view_1=@digit.png -F seed=7`), a field of several files being
 * several rows; or one PNG (`--data-binary @digit.png`), whose input stands in the query. Settings may stand in the
 * query of each of them.
 *
 * Either way one object of the JSON form comes out, in which images are bytes, and a schema checks it.
 */
export function taskBody(limit: number): RequestHandler[] {
  return [requireKnownType, rawBody(limit)];
}

export interface TaskBody<Settings> {
  /** Everything but the inputs. */
  readonly settings: Settings;
  readonly inputs: Readonly<Record<string, GivenInput>>;
}

/** @throws UsageError for what cannot be read, or does not fit `schema` */
export async function readTaskBody<S extends RequestSchema>(request: Request, schema: S): Promise<TaskBody<Static<S>>> {
  const { input, ...query } = request.query;
  const type = mediaType(request.headers["content-type"]);
  if (input !== undefined && type !== "image/png") {
    throw new UsageError(
      `Cannot read request: "input" must be left out of the query where the body is not image/png, got ${preview(input)}`,
      { code: "invalid", path: ["input"] },
    );
  }
  const { settings, inputs } =
    type === "image/png"
      ? imageBody(bytesOfBody(request), input)
      : type === "multipart/form-data"
        ? formBody(await readForm(request, bytesOfBody(request)), schema)
        : jsonBody(bytesOfBody(request));
  return { settings: validate(schema, withQuery(settings, { query, schema }), "read request"), inputs };
}

type GivenBody = TaskBody<Readonly<Record<string, unknown>>>;

function jsonBody(bytes: Uint8Array): GivenBody {
  const body = bytes.length === 0 ? {} : parseJson(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new UsageError(`Cannot read request: its body must be an object, got ${preview(body)}`, { code: "invalid" });
  }
  const { inputs = {}, ...settings } = body as { inputs?: unknown };
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs)) {
    throw new UsageError(`Cannot read request: "inputs" must be an object by name, got ${preview(inputs)}`, {
      code: "invalid",
      path: ["inputs"],
    });
  }
  return { settings, inputs: inputs as Record<string, unknown> };
}

const requireKnownType: RequestHandler = (request, _response, next) => {
  const header = request.headers["content-type"];
  const type = mediaType(header);
  if (header !== undefined && type !== "image/png" && type !== "multipart/form-data" && !isJson(header)) {
    throw unsupported(header, "application/json in UTF-8, multipart/form-data or image/png");
  }
  next();
};

function imageBody(bytes: Uint8Array, input: unknown = "view_1"): GivenBody {
  if (typeof input !== "string") throw twice("input");
  return { settings: {}, inputs: { [input]: [bytes] } };
}

interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, readonly Uint8Array[]>;
}

function formBody({ fields, files }: Form, schema: RequestSchema): GivenBody {
  const settings: [string, string][] = [];
  const inputs: [string, GivenInput][] = [...files];
  for (const [name, text] of fields) {
    if (text === "") continue; // a page sends the fields that a person left empty as well
    // A field that holds JSON is an input in numbers: settings are words and numbers.
    if (text.trimStart().startsWith("[")) inputs.push([name, parseJson(new TextEncoder().encode(text))]);
    else settings.push([name, text]);
  }
  return { settings: typedSettings(Object.fromEntries(settings), schema), inputs: Object.fromEntries(inputs) };
}

const mostParts = 2100; // 1,024 pairs and their settings

function readForm(request: Request, bytes: Uint8Array): Promise<Form> {
  return new Promise((resolve, reject) => {
    const refuse = (text: string) => {
      reject(new UsageError(`Cannot read form: ${text}`, { code: "bad_form" }));
    };
    const fields = new Map<string, string>();
    const files = new Map<string, Uint8Array[]>();
    let busboy: BusboyInstance;
    try {
      busboy = new Busboy({
        headers: { ...request.headers, "content-type": request.headers["content-type"]! },
        limits: { parts: mostParts, headerPairs: 100, fieldNameSize: 100, fieldSize: bytes.length },
      });
    } catch (cause) {
      return refuse((cause as Error).message);
    }
    busboy.on("field", (name, value) => {
      if (fields.has(name)) refuse(`field ${preview(name)} must be there once, got it twice`);
      fields.set(name, value);
    });
    busboy.on("file", (name, file) => {
      const chunks: Buffer[] = [];
      file.on("data", (chunk: Buffer) => chunks.push(chunk));
      file.on("end", () => files.set(name, [...(files.get(name) ?? []), Buffer.concat(chunks)]));
    });
    busboy.on("partsLimit", () => {
      reject(
        new HttpError(`Cannot read form: it must have at most ${mostParts} parts, got more`, {
          status: 413,
          code: "too_large",
        }),
      );
    });
    busboy.on("error", (error) => refuse((error as Error).message));
    busboy.on("finish", () => resolve({ fields, files }));
    busboy.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
}
