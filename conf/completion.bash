# Completion of plusmoin's command line for bash.

# Prints the verbs that take an option; without an option all verbs.
_plusmoin_verbs()
{
	case $1 in
	-x) echo start ;;
	--json) echo status explain monitors silence runs check ;;
	--list | --end) echo silence ;;
	-e | -f) echo console ;;
	*) echo start stop reload status watch explain monitors silence runs console check run-trigger init-sql lua-types ;;
	esac
}

# Prints the options that a verb takes; without a verb all options.
_plusmoin_options()
{
	echo -c -h --help --version
	case $1 in
	start) echo -x ;;
	silence) echo --list --end --json ;;
	status | explain | monitors | runs | check) echo --json ;;
	console) echo -f -e ;; # echo takes -e for its own where it stands first
	'') echo -x --json -e -f ;;
	esac
}

_plusmoin()
{
	local current=${COMP_WORDS[COMP_CWORD]} verb='' option='' i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c) i=$((i + 1)) ;;
		-e | -f)
			option=${COMP_WORDS[i]}
			i=$((i + 1))
			;;
		-x | --json | --list | --end) option=${COMP_WORDS[i]} ;;
		-*) ;;
		*) verb=${verb:-${COMP_WORDS[i]}} ;;
		esac
	done
	if ((i > COMP_CWORD)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == -e ]]; then # Lua code is not completed
		:
	elif ((i > COMP_CWORD)); then # behind -c and -f a file follows
		compopt -o filenames 2> /dev/null || :
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_plusmoin_options "$verb")" -- "$current")
	elif [[ $verb == run-trigger ]]; then
		compopt -o filenames 2> /dev/null || :
		mapfile -t COMPREPLY < <(compgen -f -W "plusmoin_up plusmoin_heartbeat cluster_created split_brain master_down \
			master_up slave_down slave_up node_held master_unreachable \
			monitor_isolated monitor_reconnected" -- "$current")
	elif [[ $verb == lua-types ]]; then
		compopt -o filenames 2> /dev/null || :
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
	elif [[ $verb == monitors ]]; then
		mapfile -t COMPREPLY < <(compgen -W "resign seed" -- "$current")
	elif [[ $verb == silence ]]; then
		mapfile -t COMPREPLY < <(compgen -W "all" -- "$current")
	elif [[ $verb == runs ]]; then
		[[ ${COMP_WORDS[COMP_CWORD - 1]} != runs ]] || mapfile -t COMPREPLY < <(compgen -W kill -- "$current")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_plusmoin_verbs "$option")" -- "$current")
	fi
	return 0
}
complete -F _plusmoin plusmoin
