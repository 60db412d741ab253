/**
 * The completion of bash. Written here because bash splits what is typed at ":" and "=" too, so that the words it gives
 * a function are not those of the command, and puts the answer only in the place of what follows the last of them. Needs
 * nothing of the package bash-completion, and runs with the bash 3.2 of macOS.
 */
export const BASH_COMPLETION = `# bash completion for tidemark
_tidemark_complete() {
    local typed=\${COMP_LINE:0:COMP_POINT} words current value line kept
    read -ra words <<< "$typed"
    if [[ $typed == *[[:space:]] ]]; then words+=(""); fi
    current=\${words[\${#words[@]}-1]}
    # What stays as it is of the last word.
    kept=
    if [[ $current == -*=* ]]; then value=\${current#*=} kept=\${current%%=*}=; else value=$current; fi
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :0 ]]; then
            compopt -o default 2> /dev/null
            return
        fi
        line=\${line%%$'\\t'*}
        if [[ $line != :* && $line == "$value"* ]]; then COMPREPLY+=("$kept$line"); fi
    done < <(tidemark complete -- "\${words[@]:1}" 2> /dev/null)
    # Bash has these already: its own last word begins after them.
    local separator
    for separator in : =; do
        if [[ $COMP_WORDBREAKS == *$separator* && $current == *$separator* ]]; then
            kept=\${current%"\${current##*$separator}"}
            COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
        fi
    done
}
complete -F _tidemark_complete tidemark
`
