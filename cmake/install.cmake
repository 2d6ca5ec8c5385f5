# What `cmake --install` puts where, and the Debian package of it. `make install` and `make package`
# build the programs first.
set(CMAKE_INSTALL_DOCDIR share/doc/gpu-monitoring)
include(GNUInstallDirs)

install(TARGETS gpu-monitoring-api gpu-exporter gpuctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE NOTICE packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/prometheus.yaml deploy/prometheus-kubernetes.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES packaging/gpu-monitoring.sysusers DESTINATION lib/sysusers.d RENAME gpu-monitoring.conf)

# What only the programs themselves can write, and what depends on where it all goes: that is known
# when it is installed, a package goes elsewhere than the build was told.
get_target_property(other_names gpuctl GPUMON_OTHER_NAMES)
install(CODE "
  set(source \"${CMAKE_SOURCE_DIR}\")
  set(server \"$<TARGET_FILE:gpu-monitoring-api>\")
  set(exporter \"$<TARGET_FILE:gpu-exporter>\")
  set(gpuctl \"$<TARGET_FILE:gpuctl>\")
  set(other_names \"${other_names}\")
  set(bindir \"${CMAKE_INSTALL_BINDIR}\")
  set(mandir \"${CMAKE_INSTALL_MANDIR}\")
  set(datadir \"${CMAKE_INSTALL_DATADIR}\")
")
install(SCRIPT ${CMAKE_SOURCE_DIR}/cmake/install_written.cmake)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gpu-monitoring)
set(CPACK_PACKAGE_VENDOR "GPU Monitoring")
set(CPACK_PACKAGE_CONTACT "GPU Monitoring <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}, with exporter and command line")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
# The installation has to see /usr, and where that lies for now apart from it.
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openssh-client)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, nvidia-smi")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"gpu-monitoring-api turns any Prometheus into a GPU dashboard API, with a
dashboard of its own, and collects snapshots of health. gpu-exporter
publishes GPU metrics for Prometheus. gpuctl is the command line to both,
and checks hosts and services.
.
Each has a systemd unit; none is started by the installation.")
set(debian ${CMAKE_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
