// Tasks: what asks for GPUs in Kubernetes, and the command tasks of a HakuRiver host.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findFeatures, hakuThere } from "../api/features.ts";
import { looked } from "../state/news.ts";
import { param } from "../state/place.ts";
import { words } from "../text/en/tasks.ts";
import { HakuTasks } from "./tasks/haku.tsx";
import { KubeTasks } from "./tasks/kube.tsx";

export default function Tasks(): JSX.Element {
  useEffect(findFeatures, []);
  const haku = param("source") === "hakuriver";
  useEffect(() => {
    looked.value = haku ? "hakuriver" : "prometheus";
    return () => {
      looked.value = "prometheus";
    };
  }, [haku]);
  if (haku && hakuThere.value === false) return <p class="empty">{words.notConfigured}</p>;
  return haku ? <HakuTasks /> : <KubeTasks />;
}
