"""How each exporter shows a GPU: names, units and labels, written after the exporters' own documents.

Of each schema: `labels` of every series of GPU {i}; `series` by field, with what one base unit (%,
bytes, W, degrees, counts) is in its own; `identity`, the label that tells GPUs apart in alerts;
`blank`, what it writes where it knows nothing
(nvitop's is NaN, which promtool's series cannot be); `pod`, labels of a GPU that a pod holds, or, as a
series of its own, `share`; `own_pod`: `pod` may be the exporter's; `success`, its gauge;
`node`, what its GPUs' node is called where no label says node-1.
"""

EXPORTERS = {
    "nvidia_gpu": {
        "labels": 'node="node-1",gpu="{i}",gpu_name="H100",uuid="GPU-{i}"',
        "series": {
            "utilization": ("nvidia_gpu_utilization_percent", 1),
            "memory_used": ("nvidia_gpu_used_memory_bytes", 1),
            "memory_total": ("nvidia_gpu_total_memory_bytes", 1),
            "temperature": ("nvidia_gpu_temperature_celsius", 1),
            "power": ("nvidia_gpu_power_watts", 1),
            "throttle": ("nvidia_gpu_throttle_reasons", 1),
            "xid": ("nvidia_gpu_xid_last", 1),
            "ecc": ("nvidia_gpu_ecc_uncorrected_volatile_total", 1),
            "remap_failure": ("nvidia_gpu_row_remap_failure", 1),
            "remap_pending": ("nvidia_gpu_row_remap_pending", 1),
        },
        "pod": 'exported_namespace="ml",exported_pod="train-{i}"',
        "own_pod": True,
        "success": "gpu_exporter_up",
    },
    "dcgm": {
        "labels": 'gpu="{i}",UUID="GPU-{i}",modelName="H100",Hostname="node-1"',
        "series": {
            "utilization": ("DCGM_FI_DEV_GPU_UTIL", 1),
            "memory_used": ("DCGM_FI_DEV_FB_USED", 1 / 2**20),
            "memory_free": ("DCGM_FI_DEV_FB_FREE", 1 / 2**20),
            "temperature": ("DCGM_FI_DEV_GPU_TEMP", 1),
            "power": ("DCGM_FI_DEV_POWER_USAGE", 1),
            "throttle": ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", 1),
            "xid": ("DCGM_FI_DEV_XID_ERRORS", 1),
            "ecc": ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 1),
            "remap_failure": ("DCGM_FI_DEV_ROW_REMAP_FAILURE", 1),
            "remap_pending": ("DCGM_FI_DEV_ROW_REMAP_PENDING", 1),
        },
        "blank": 9223372036854775794,
        "pod": 'exported_namespace="ml",exported_pod="train-{i}"',
        "own_pod": True,
    },
    "dcgm_4_9": {
        "labels": 'gpu="{i}",UUID="GPU-{i}",modelName="H100",hostname="node-1"',
        "series": {
            "utilization": ("DCGM_FI_DEV_GPU_UTIL_RATIO", 0.01),
            "memory_used": ("DCGM_FI_DEV_FB_USED_BYTES", 1),
            "memory_total": ("DCGM_FI_DEV_FB_CAPACITY_BYTES", 1),
            "temperature": ("DCGM_FI_DEV_GPU_TEMP_CELSIUS", 1),
            "power": ("DCGM_FI_DEV_BOARD_POWER_WATTS", 1),
            "throttle": ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", 1),
            "xid": ("DCGM_FI_DEV_XID_ERROR", 1),
            "ecc": ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 1),
            "remap_failure": ("DCGM_FI_DEV_ROW_REMAP_FAILED", 1),
            "remap_pending": ("DCGM_FI_DEV_ROW_REMAP_PENDING", 1),
        },
        "blank": 2147483632,
        "pod": 'exported_namespace="ml",exported_pod="train-{i}"',
        "own_pod": True,
    },
    "dcgm_1x": {
        "labels": 'gpu="{i}",uuid="GPU-{i}",Hostname="node-1"',
        "series": {
            "utilization": ("dcgm_gpu_utilization", 1),
            "memory_used": ("dcgm_fb_used", 1 / 2**20),
            "memory_free": ("dcgm_fb_free", 1 / 2**20),
            "temperature": ("dcgm_gpu_temp", 1),
            "power": ("dcgm_power_usage", 1),
            "xid": ("dcgm_xid_errors", 1),
            "ecc": ("dcgm_ecc_dbe_volatile_total", 1),
        },
        "blank": 9223372036854775794,
        "pod": 'pod_namespace="ml",pod_name="train-{i}"',
        "own_pod": True,
    },
    "nvidia_smi": {
        "labels": 'uuid="{i}00b4a54-0000",node="node-1"',
        "identity": "{i}00b4a54-0000",
        "series": {
            "utilization": ("nvidia_smi_utilization_gpu_ratio", 0.01),
            "memory_used": ("nvidia_smi_memory_used_bytes", 1),
            "memory_total": ("nvidia_smi_memory_total_bytes", 1),
            "temperature": ("nvidia_smi_temperature_gpu", 1),
            "power": ("nvidia_smi_power_draw_watts", 1),
            "throttle": ("nvidia_smi_clocks_event_reasons_active", 1),
            "ecc": ("nvidia_smi_ecc_errors_uncorrected_volatile_total", 1),
            "remap_failure": ("nvidia_smi_remapped_rows_failure", 1),
            "remap_pending": ("nvidia_smi_remapped_rows_pending", 1),
        },
        "success": "nvidia_smi_last_collect_success",
    },
    "gpu_metrics": {
        "labels": 'hostname="node-1",gpu_id="{i}",gpu_name="L40S"',
        "label": "gpu",
        "identity": "{i}",
        "series": {
            "utilization": ("gpu_metrics_gpu_utilization", 1),
            "memory_used": ("gpu_metrics_used_memory", 1),
            "memory_total": ("gpu_metrics_total_memory", 1),
            "temperature": ("gpu_metrics_temperature", 1),
        },
        "success": 'gpu_scrape_controller_success{collector="gpu_metrics"}',
    },
    "gpud": {
        "labels": 'uuid="GPU-{i}",gpud_component="accelerator"',
        "node": "10.0.0.1",    # it names none: the target's address
        "series": {
            "utilization": ("accelerator_nvidia_utilization_gpu_util_percent", 1),
            "memory_used": ("accelerator_nvidia_memory_used_bytes", 1),
            "memory_total": ("accelerator_nvidia_memory_total_bytes", 1),
            "temperature": ("accelerator_nvidia_temperature_current_celsius", 1),
            "power": ("accelerator_nvidia_power_current_usage_milli_watts", 1000),
            "ecc": ("accelerator_nvidia_ecc_volatile_total_uncorrected", 1),
            "remap_failure": ("accelerator_nvidia_remapped_rows_remapping_failed", 1),
            "remap_pending": ("accelerator_nvidia_remapped_rows_remapping_pending", 1),
        },
        "flags": {
            "accelerator_nvidia_clock_hw_slowdown": 0x8,
            "accelerator_nvidia_clock_hw_slowdown_thermal": 0x40,
            "accelerator_nvidia_clock_hw_slowdown_power_brake": 0x80,
        },
    },
    "all_smi": {
        "labels": 'gpu="NVIDIA H100",gpu_index="{i}",gpu_uuid="GPU-{i}",exported_instance="node-1"',
        "series": {
            "utilization": ("all_smi_gpu_utilization", 1),
            "memory_used": ("all_smi_gpu_memory_used_bytes", 1),
            "memory_total": ("all_smi_gpu_memory_total_bytes", 1),
            "temperature": ("all_smi_gpu_temperature_celsius", 1),
            "power": ("all_smi_gpu_power_consumption_watts", 1),
        },
        "success": "all_smi_up",
    },
    "nvitop": {
        "labels": 'hostname="node-1",index="{i}",devicename="A100",uuid="GPU-{i}"',
        "series": {
            "utilization": ("gpu_utilization_Percentage", 1),
            "memory_used": ("gpu_memory_used_MiB", 1 / 2**20),
            "memory_total": ("gpu_memory_total_MiB", 1 / 2**20),
            "temperature": ("gpu_temperature_C", 1),
            "power": ("gpu_power_usage_W", 1),
        },
    },
    "mindprince": {
        "labels": 'minor_number="{i}",uuid="GPU-{i}",name="V100",node="node-1"',
        "series": {
            "utilization": ("nvidia_gpu_duty_cycle", 1),
            "memory_used": ("nvidia_gpu_memory_used_bytes", 1),
            "memory_total": ("nvidia_gpu_memory_total_bytes", 1),
            "temperature": ("nvidia_gpu_temperature_celsius", 1),
            "power": ("nvidia_gpu_power_usage_milliwatts", 1000),
        },
    },
    "hami": {
        "labels": 'node="node-1",device_index="{i}",device_uuid="GPU-{i}",device_type="NVIDIA-L20"',
        "series": {
            "utilization": ("hami_host_gpu_utilization_ratio", 1),
            "memory_used": ("hami_host_gpu_memory_used_bytes", 1),
            "temperature": ("hami_host_gpu_temperature_celsius", 1),
            "power": ("hami_host_gpu_power_usage_watts", 1),
            "ecc_lifetime": ('hami_host_gpu_ecc_errors_total{error_type="uncorrected"}', 1),
        },
        "share": 'hami_vgpu_memory_used_bytes{device_uuid="GPU-{i}",vdevice_index="0",'
                 'exported_namespace="ml",exported_pod="train-{i}"}',
    },
    "hami_legacy": {
        "labels": 'nodeid="node-1",deviceidx="{i}",deviceuuid="GPU-{i}",devicetype="NVIDIA-L20"',
        "series": {
            "utilization": ("HostCoreUtilization", 1),
            "memory_used": ("HostGPUMemoryUsage", 1),
        },
        "share": 'vGPU_device_memory_usage_in_bytes{deviceuuid="GPU-{i}",vdeviceid="0",'
                 'podnamespace="ml",podname="train-{i}"}',
    },
    "amd": {
        "labels": 'hostname="node-1",gpu_id="{i}",gpu_partition_id="0",card_model="MI300",'
                  'serial_number="{i}"',
        "label": "gpu",
        "identity": "{i}",
        "series": {
            "utilization": ("gpu_gfx_activity", 1),
            "memory_used": ("gpu_used_vram", 1 / 2**20),
            "memory_total": ("gpu_total_vram", 1 / 2**20),
            "temperature": ("gpu_junction_temperature", 1),
            "power": ("gpu_package_power", 1),
            "ecc_lifetime": ("gpu_ecc_uncorrect_total", 1),
        },
        "blank": 18446744073709551615,
        "pod": 'exported_namespace="ml",exported_pod="train-{i}"',
        "own_pod": True,
    },
    "xpum": {
        "labels": 'node="node-1",dev_file="card{i}",uuid="0100-{i}",dev_name="Max 1550"',
        "identity": "0100-{i}",
        "series": {
            "utilization": ("xpum_engine_ratio", 0.01),
            "memory_used": ("xpum_memory_used_bytes", 1),
            "temperature": ('xpum_temperature_celsius{location="gpu"}', 1),
            "power": ("xpum_power_watts", 1),
        },
        "pod": 'kube_namespace="ml",kube_pod="train-{i}"',
    },
    "xpumd": {
        "labels": 'node="node-1",hw_id="{i}",pci_bdf="0000:{i}:00.0"',
        "label": "gpu",
        "identity": "{i}",
        "series": {
            "utilization": ("hw_gpu_utilization_ratio", 0.01),
            "memory_used": ('hw_memory_usage_bytes{hw_memory_location="device"}', 1),
            "memory_total": ('hw_memory_size_bytes{hw_memory_location="device"}', 1),
            "temperature": ('hw_temperature_celsius{hw_sensor_location="gpu",statistic="max"}', 1),
            "power": ('hw_power_watts{hw_sensor_location="gpu"}', 1),
            "ecc_lifetime": ('hw_errors_total{hw_type="gpu",error_type="uncorrectable"}', 1),
        },
    },
}
