import { render } from "preact";
import { App } from "./app.tsx";
import { followTime } from "./state/news.ts";
import { followUrl } from "./state/place.ts";
import { followPrefs } from "./state/prefs.ts";
import "./style/base.css";
import "./style/parts.css";

followUrl();
followPrefs();
followTime();
const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
