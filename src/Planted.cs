using System.Diagnostics;

namespace Hexcast;

/// <summary>
/// The places of the planted faults, in whichever assembly. The compiler leaves out every call to <see cref="Bend"/>
/// unless PLANTED_FAULTS is defined, as tests/PlantedFaults alone does, which compiles these sources anew: no build
/// that is shipped has them.
/// </summary>
internal static class Planted
{
#if PLANTED_FAULTS
    /// <summary>Of a kind at most one, in the thread that looks for it.</summary>
    public static class Of<TFault>
        where TFault : struct, Enum
    {
        [ThreadStatic]
        private static TFault _active;

        public static TFault Active
        {
            get => _active;
            set => _active = value;
        }
    }
#endif

    /// <summary>Where this fault is planted, the decision is made wrongly.</summary>
    [Conditional("PLANTED_FAULTS")]
    public static void Bend<TFault>(TFault fault, ref bool decision, bool to)
        where TFault : struct, Enum
    {
#if PLANTED_FAULTS
        decision = EqualityComparer<TFault>.Default.Equals(Of<TFault>.Active, fault) ? to : decision;
#endif
    }
}
