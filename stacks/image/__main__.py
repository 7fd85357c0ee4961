from stacks.image.program import main

main()
