# The manual page of a server program, from its --help; `name` is the page's name.
#   gpu-exporter --help | awk -v name=gpu-exporter -f packaging/man.awk
function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}

NR == 1 { version = $NF }
NR == 2 {
  summary = $0
  sub(/\.$/, "", summary)
  printf ".TH %s 1 \"\" \"%s %s\" \"GPU Monitoring\"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n",
         toupper(name), name, version, roff(name), roff(summary)
  next
}
/^Usage: / || usage {
  if ($0 == "") { print ".fi\n.SH DESCRIPTION"; usage = 0; next }
  sub(/^(Usage:|      ) /, "")
  print roff($0)
  usage = 1
  next
}
/^Flags:$/ { print ".SH OPTIONS"; flags = 1; next }
flags && /^  [^ ]/ {
  sub(/^ */, "")
  place = index($0, "   environment: ")
  environment = place ? substr($0, place + 16) : ""
  if (place) $0 = substr($0, 1, place - 1)
  print ".TP\n.B " roff($0)
  if (environment != "") print "Environment: " roff(environment) ".\n.br"
  next
}
NR > 2 && /^$/ { if (!flags && described) print ".PP"; next }
NR > 2 { sub(/^ */, ""); print roff($0); described = 1 }
