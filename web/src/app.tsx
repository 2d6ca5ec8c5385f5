// The frame around every view.
import type { ComponentType, JSX } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Banner, Freshness, RangePicker, ThemePicker, TokenDialog } from "./parts/bar.tsx";
import { Keys } from "./parts/keys.tsx";
import { href, view } from "./state/place.ts";
import { text } from "./text/en.ts";
import { VIEWS } from "./views/index.ts";

function Nav(): JSX.Element {
  return (
    <nav aria-label={text.product}>
      {VIEWS.map(({ name }) => (
        <a key={name} href={href([name])} aria-current={view.value === name ? "page" : undefined}>
          {text.views[name]}
        </a>
      ))}
    </nav>
  );
}

function CurrentView(): JSX.Element {
  const name = view.value;
  const [loaded, setLoaded] = useState<{ name: string; view: ComponentType }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    setFailed(false);
    const row = VIEWS.find((one) => one.name === name);
    row?.load().then(
      (module) => !left && setLoaded({ name, view: module.default }),
      () => !left && setFailed(true),
    );
    return () => {
      left = true;
    };
  }, [name]);
  const row = VIEWS.find((one) => one.name === name);
  // Before a view says more of itself.
  useLayoutEffect(() => {
    document.title = row ? `${text.views[row.name]} · ${text.product}` : text.product;
  }, [row]);
  if (row === undefined) return <p class="empty">{text.notFound}</p>;
  // A page that was left open while the server was replaced.
  if (failed) {
    return (
      <div class="failed" role="alert">
        <h2>{text.failed.title}</h2>
        <button type="button" onClick={() => location.reload()}>
          {text.failed.again}
        </button>
      </div>
    );
  }
  if (loaded?.name !== name) return <p class="loading">{text.loading}</p>;
  const View = loaded.view;
  return (
    <>
      <h1>{text.views[row.name]}</h1>
      <View />
    </>
  );
}

export function App(): JSX.Element {
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("content")?.focus();
        }}
      >
        {text.skip}
      </a>
      <header>
        <a class="product" href={href(["overview"])}>
          {text.product}
        </a>
        <Freshness />
        <RangePicker />
        <ThemePicker />
      </header>
      <Nav />
      <Banner />
      <main id="content" tabIndex={-1}>
        <CurrentView />
      </main>
      <Keys />
      <TokenDialog />
    </>
  );
}
