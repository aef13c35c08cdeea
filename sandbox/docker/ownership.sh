# Finds what root without capabilities may not change in a repository, or not use on the way to it
# and in home folders. With $act=take it all becomes root's, otherwise the first is printed.
# Before these lines: $repo, $user and $home, as the image names them, $act and $mark.

export LC_ALL=C
umask 022
here=${0%/*}

home_of() { # $1 a name or a number
  [ -r /etc/passwd ] && while IFS=: read -r name _ id _ _ folder _; do
    [ "$name" != "$1" ] && [ "$id" != "$1" ] || printf '%s\n' "$folder"
  done </etc/passwd
}

homes() {
  for folder in "$home" "$(home_of "${user%%:*}")"; do
    case $folder in '' | / | /root) continue ;; esac
    printf '%s\n' "$folder"
  done
}

above() { # the folders above the repository
  at=${repo%/*}
  while [ -n "$at" ]; do
    printf '%s\n' "$at"
    at=${at%/*}
  done
}

found() { # the rest of find's words, which say what is done with each
  above | while IFS= read -r at; do
    [ ! -d "$at" ] || find "$at" -prune -type d ! -user 0 ! -perm -001 "$@"
  done
  # Git's own files are read-only on purpose: it replaces them.
  [ ! -d "$repo" ] || find -H "$repo" -xdev \( ! -user 0 -o -type d ! -perm -700 \
    -o -type f ! -perm -600 ! -path '*/.git/*' \) "$@"
  homes | while IFS= read -r at; do
    [ ! -d "$at" ] || find -H "$at" -xdev \( -type d ! -user 0 -o -type d ! -perm -700 \
      -o -type f ! -user 0 ! -perm -004 \) "$@"
  done
}

walk() { # much the same of $1, for images without find
  for at in "$1" "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$at" ] && [ ! -L "$at" ] || continue
    case $at in
      */.git/*) [ -O "$at" ] || printf '%s\n' "$at" ;;
      *) { [ -O "$at" ] && [ -r "$at" ] && [ -w "$at" ]; } || printf '%s\n' "$at" ;;
    esac
    [ "$at" = "$1" ] || [ ! -d "$at" ] || walk "$at"
  done
}

walk_all() {
  above | while IFS= read -r at; do
    [ ! -d "$at" ] || [ -x "$at" ] || printf '%s\n' "$at"
  done
  walk "$repo"
  homes | while IFS= read -r at; do walk "$at"; done
}

take() {
  if command -v find >/dev/null 2>&1; then
    found -exec chown -h 0 {} + ! -type l -exec chmod u+rwX {} +
    return
  fi
  above | while IFS= read -r at; do [ -O "$at" ] || chown 0 "$at"; done
  for at in "$repo" $(homes); do
    [ ! -d "$at" ] || { chown -h -R 0 "$at" && chmod -R u+rwX "$at"; } || return 1
  done
}

look() {
  if command -v find >/dev/null 2>&1; then found -print; else walk_all; fi 2>/dev/null
}

printf '\036%s\n' "$mark"
if [ "$act" = take ]; then
  take 2>&1 || exit 1
  cd / && rm -rf "$here"/* && exit 0
fi
look | { IFS= read -r first && printf '%s\n' "$first"; }
exit 0
