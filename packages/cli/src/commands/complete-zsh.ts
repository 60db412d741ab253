/** The completion of zsh. Written here because a colon is what parts a word from its description for `_describe`. */
export const ZSH_COMPLETION = `#compdef tidemark
# zsh completion for tidemark
_tidemark() {
    local -a lines described
    local line tab=$'\\t'
    lines=("\${(@f)$(tidemark complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
    # What is completed of --option=value is the value.
    if [[ \${words[CURRENT]} == -*=* ]]; then compset -P '*='; fi
    if [[ \${lines[-1]} == :0 ]]; then
        _files
        return
    fi
    for line in "\${(@)lines[1,-2]}"; do
        described+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}")
    done
    _describe -t words tidemark described
}
if [[ \${funcstack[1]} == _tidemark ]]; then _tidemark "$@"; else compdef _tidemark tidemark; fi
`
