#!/bin/bash
env | grep "^API_\|^PROM\|^SCRAPED\|URL" > /tmp/hold.env
for ((i=0;i<1500;i++)); do [ -e /tmp/hold.stop ] && exit 0; sleep 1; done
