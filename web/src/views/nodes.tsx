// Nodes: all of them, and one of them below #/nodes/NAME.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findFeatures, hakuThere } from "../api/features.ts";
import { looked } from "../state/news.ts";
import { param, place } from "../state/place.ts";
import { NodeDetail } from "./nodes/detail.tsx";
import { HakuNodeDetail } from "./nodes/hakudetail.tsx";
import { HakuNodes } from "./nodes/hakulist.tsx";
import { NodeList } from "./nodes/list.tsx";
import "../style/nodes.css";

export default function Nodes(): JSX.Element {
  useEffect(findFeatures, []);
  // Whoever sends a link to HakuRiver's nodes has them.
  const haku = param("source") === "hakuriver" && hakuThere.value !== false;
  useEffect(() => {
    looked.value = haku ? "hakuriver" : "prometheus";
    return () => {
      looked.value = "prometheus";
    };
  }, [haku]);
  const name = place.value.path[1];
  if (name === undefined) return haku ? <HakuNodes /> : <NodeList />;
  return haku ? <HakuNodeDetail key={name} name={name} /> : <NodeDetail key={name} name={name} />;
}
