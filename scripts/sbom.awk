# From the facts of scripts/sbom.sh: CycloneDX on standard output, a list of licences in `list`.
function json(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  gsub(/[[:cntrl:]]/, " ", text)
  return "\"" text "\""
}

# In a package URL these mean something else.
function percent(text) {
  gsub(/%/, "%25", text)
  gsub(/\+/, "%2B", text)
  gsub(/:/, "%3A", text)
  gsub(/@/, "%40", text)
  return text
}

function add(old, more) { return old == "" ? more : old "," more }

function add_package(name, its_version, its_purl, text) {
  order[++count] = name
  version_of[name] = its_version
  purl[name] = its_purl
  text_of[name] = text
}

function add_licence(name, licence) {
  licences[name] = add(licences[name], "{\"license\":{\"name\":" json(licence) "}}")
  listed[name] = listed[name] (listed[name] == "" ? "" : ", ") licence
}

function depend(program, name) {
  if (seen[program, name]++) return
  needed[program] = add(needed[program], json(purl[name]))
}

BEGIN { program_count = split(programs, program, " ") }

$1 == "use" { use[++uses] = $2 "\t" $3 "\t" $4 }
$1 == "package" {
  add_package($2, $3, "pkg:deb/" distribution "/" percent($2) "@" percent($3) "?arch=" $4 \
              "&distro=" distribution "-" release, "/usr/share/doc/" $2 "/copyright")
}
$1 == "licence" { add_licence($2, $3) }
$1 == "npm" {
  name = "npm:" $2
  add_package(name, $3, "pkg:npm/" percent($2) "@" $3, "NOTICE")
  add_licence(name, $4)
  depend($5, name)
}
$1 == "hash" { hash[$2] = "\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"" $3 "\"}]" }

END {
  for (i = 1; i <= uses; i++) {
    split(use[i], part, "\t")
    for (p = 1; p <= program_count; p++) {
      if (part[1] == "*" || part[1] == program[p]) depend(program[p], part[2])
    }
    if (part[3] == "-" || taken[part[3]]++) continue
    files[part[2]] = add(files[part[2]], "{\"type\":\"file\",\"name\":" json(part[3]) "," hash[part[3]] "}")
  }
  print "{\"$schema\":\"http://cyclonedx.org/schema/bom-1.5.schema.json\",\"bomFormat\":\"CycloneDX\"," \
        "\"specVersion\":\"1.5\",\"version\":1,"
  product = "\"version\":" json(version)
  print "\"metadata\":{\"component\":{\"type\":\"application\",\"bom-ref\":\"gpu-monitoring\"," \
        "\"name\":\"gpu-monitoring\"," product ",\"licenses\":[{\"license\":{\"id\":\"Apache-2.0\"}}]}},"
  print "\"components\":["
  for (p = 1; p <= program_count; p++) {
    print "{\"type\":\"application\",\"bom-ref\":" json(program[p]) ",\"name\":" json(program[p]) "," \
          product "," hash["/usr/bin/" program[p]] "},"
    all = add(all, json(program[p]))
  }
  printf "%-28s %-28s %-46s %s\n", "package", "version", "texts", "licences" >list
  for (i = 1; i <= count; i++) {
    name = order[i]
    if (licences[name] == "") add_licence(name, "see " text_of[name])
    shown = name
    sub(/^npm:/, "", shown)
    print "{\"type\":\"library\",\"bom-ref\":" json(purl[name]) ",\"name\":" json(shown) \
          ",\"version\":" json(version_of[name]) ",\"purl\":" json(purl[name]) ",\"licenses\":[" \
          licences[name] "]" (files[name] == "" ? "" : ",\"components\":[" files[name] "]") "}" \
          (i < count ? "," : "")
    printf "%-28s %-28s %-46s %s\n", shown, version_of[name], text_of[name], listed[name] >list
  }
  print "],\n\"dependencies\":[\n{\"ref\":\"gpu-monitoring\",\"dependsOn\":[" all "]}"
  for (p = 1; p <= program_count; p++) {
    print ",{\"ref\":" json(program[p]) ",\"dependsOn\":[" needed[program[p]] "]}"
  }
  print "]}"
}
