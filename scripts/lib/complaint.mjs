/**
 * Expected failures of the scripts: said in one line, exit code 1, no stack
 * trace. Anything else that is thrown is a bug and keeps its stack.
 */
export class Complaint extends Error {}

/** Runs a script's main function and turns its failure into an exit code. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof Complaint) console.error(`tailrace: ${error.message}`);
    else console.error(error);
    process.exit(1);
  }
}
