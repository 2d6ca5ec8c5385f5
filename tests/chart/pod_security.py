"""The Pod Security Standard "restricted", with all of "baseline" that it builds on: what a pod
breaks, a name for each rule and place.
"""
ADDABLE = {"NET_BIND_SERVICE"}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
           "projected", "secret", "image"}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range",
           "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies",
           "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
           "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
           "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"}
PROFILES = ("RuntimeDefault", "Localhost")


def containers(spec):
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for one in spec.get(kind) or []:
            yield one


def both(context, where):
    """What a pod and a container may break alike."""
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield where + "hostProcess"
    options = context.get("seLinuxOptions") or {}
    if options.get("type", "") not in SELINUX_TYPES or options.get("user") or options.get("role"):
        yield where + "seLinuxOptions"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield where + "appArmorProfile"
    profile = (context.get("seccompProfile") or {}).get("type")
    if profile is not None and profile not in PROFILES:
        yield where + "seccompProfile"
    if context.get("runAsUser") == 0:
        yield where + "runAsUser"
    if context.get("runAsNonRoot") is False:
        yield where + "runAsNonRoot"


def of_pod(spec):
    context = spec.get("securityContext") or {}
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield name
    for volume in spec.get("volumes") or []:
        if not set(volume) - {"name"} <= VOLUMES:
            yield "volume " + volume["name"]
    for sysctl in context.get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield "sysctl " + sysctl["name"]
    yield from both(context, "")


def of_handlers(container, where):
    handlers = [container.get(name) or {} for name in
                ("startupProbe", "livenessProbe", "readinessProbe")]
    handlers += (container.get("lifecycle") or {}).values()
    for handler in handlers:
        for kind in ("httpGet", "tcpSocket"):
            if (handler.get(kind) or {}).get("host"):
                yield where + "host of a probe"


def of_container(container, pod):
    where = container["name"] + ": "
    context = container.get("securityContext") or {}
    capabilities = context.get("capabilities") or {}
    if context.get("privileged"):
        yield where + "privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield where + "allowPrivilegeEscalation"
    if "ALL" not in (capabilities.get("drop") or []):
        yield where + "capabilities.drop"
    if set(capabilities.get("add") or []) - ADDABLE:
        yield where + "capabilities.add"
    if context.get("procMount", "Default") != "Default":
        yield where + "procMount"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield where + "hostPort"
    if "runAsNonRoot" not in context and "runAsNonRoot" not in pod:
        yield where + "runAsNonRoot"
    if "seccompProfile" not in context and "seccompProfile" not in pod:
        yield where + "seccompProfile"
    yield from both(context, where)
    yield from of_handlers(container, where)


def violations(spec):
    """Sorted; empty when the pod of this spec is admitted under "restricted"."""
    found = list(of_pod(spec))
    for container in containers(spec):
        found += of_container(container, spec.get("securityContext") or {})
    return sorted(found)
