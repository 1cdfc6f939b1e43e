/** The ASSETS binding wants its directory, built or not: tests in workerd do not need the dashboard itself. */
import { mkdirSync } from "node:fs";

export default function setup(): void {
  mkdirSync("dist/dashboard", { recursive: true });
}
