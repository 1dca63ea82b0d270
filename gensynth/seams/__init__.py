"""Private names of libraries: one file for each library, and nowhere else in the package.

Each file says why no public name does, and for which versions it was seen to hold; ``setup.cfg``
bounds the library above them. ``tests/seams`` says which name went when a new version drops one.
Numba has no file: what is used of it is public.
"""
