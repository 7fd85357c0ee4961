from stacks.service.program import main

main()
