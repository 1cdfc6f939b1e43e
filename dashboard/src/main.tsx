/** Entry of the dashboard: styles, then the app into its root. */
import "./styles/base.css";
import "./styles/frame.css";
import { render } from "preact";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("BUG: index.html has no #app");
render(<App />, root);
