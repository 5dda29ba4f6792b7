import * as tf from "@tensorflow/tfjs-core";

/** Names of the tfjs operations that are running, innermost last; tfjs keeps them for its own debug messages. */
export function activeScopes(): string[] {
  const { scopeStack } = tf.engine().state as unknown as { scopeStack: readonly { name: string }[] };
  return scopeStack.map((scope) => scope.name.replace(/__op$/, ""));
}
