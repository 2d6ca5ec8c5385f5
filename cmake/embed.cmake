# gpumon_embed(OUTPUT.cc DIRECTORY dir PATTERN *.x HEADER h SYMBOL ns::Function TYPE Row)
#   Writes a source file with the text of each file of a folder: `std::span<const Row> Function()`,
#   rows of {name, text} in the order of their names. A file that is added or changed is seen.
function(gpumon_embed output)
  cmake_parse_arguments(ARG "" "DIRECTORY;PATTERN;HEADER;SYMBOL;TYPE" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DIRECTORY}/${ARG_PATTERN})
  list(SORT files)
  set(rows "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    get_filename_component(name ${file} NAME)
    string(APPEND rows "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
  endforeach()
  string(REGEX REPLACE "::[^:]*$" "" namespace ${ARG_SYMBOL})
  string(REGEX REPLACE "^.*::" "" function ${ARG_SYMBOL})
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${output} @ONLY CONTENT "#include \"${ARG_HEADER}\"

namespace ${namespace} {
namespace {
constexpr ${ARG_TYPE} kFiles[] = {
${rows}};
}  // namespace

std::span<const ${ARG_TYPE}> ${function}() {
  return kFiles;
}

}  // namespace ${namespace}
")
endfunction()
