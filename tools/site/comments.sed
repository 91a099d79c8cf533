# Plain comments become those that Doxygen reads: the one at the top says what the file is, one on a
# line of its own what follows it, one behind code what stands before it.
1s#^//#/// @file\n//#
s#^\( *\)//\( \|$\)#\1///\2#
s#\n//\( \|$\)#\n///\1#
s#\([;,{}]\)  *// #\1 ///< #
