import { expect, test } from "vitest";
import { UsageError } from "../../../schemas/errors.ts";
import { uniformVariable } from "../../../train/networks/parameters.ts";

test("a variable beyond 4 GiB is refused by name: sizes that are each allowed can be too much together", () => {
  const build = () => uniformVariable("encoder.dense_1.kernel", [65_537, 16_384], 1, 0);
  expect(build).toThrow(UsageError);
  expect(build).toThrow(
    'Cannot build the model: "encoder.dense_1.kernel" must have at most 1073741824 numbers, got 1073758208',
  );
});
